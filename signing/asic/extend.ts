/**
 * Lifts containers with CAdES to B-T, B-LT and B-LTA and renews them (ETSI EN 319 162-1 §4.3, §4.4, §A.7).
 *
 * ASiC-S: the levels are those of the signature inside. ASiC-E: B-LTA is an archive manifest; what it names is never
 * changed again. Data files are taken over byte by byte.
 */
import { extendCades } from '../cms/cades-levels.ts'
import type { AdesLevel, LevelSources } from '../cms/cades-levels.ts'
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import { addArchiveManifest } from './archive-manifest.ts'
import { openContainer, readWhole } from './container.ts'
import type { ContainerFile } from './container.ts'
import { writeDraft } from './draft.ts'
import type { Draft } from './draft.ts'
import { partsOf } from './parts.ts'
import { followManifest } from './references.ts'
import { damaged } from './zip-directory.ts'

/**
 * Lifts all signatures of a container; B-LTA again renews. The result is a view over `source`.
 *
 * @param at shown as the time of the entries
 * @throws SigningError `signing/container-damaged` the container can be read in two ways
 * @throws SigningError `signing/signature-broken` a signature does not fit, or there is none; codes as extendCades
 */
export async function extendAsic(
  source: RandomAccess,
  level: AdesLevel,
  sources: LevelSources,
  at: Date,
): Promise<RandomAccess> {
  const container = await openContainer(source)
  const [problem] = container.problems
  if (problem !== undefined) throw damaged('the container can be read in two ways')
  const parts = await partsOf(container)
  if (parts.format === 'zip' || parts.cades.length === 0) throw broken('there is no CAdES signature in the container')
  const draft: Draft = { container, parts, changed: new Map() }
  for (const file of parts.cades) await liftSignature(draft, file, level, sources)
  if (level === 'B-LTA' && parts.format === 'asic-e') await addArchiveManifest(draft, sources)
  return writeDraft(draft, at)
}

async function liftSignature(
  draft: Draft,
  file: ContainerFile,
  level: AdesLevel,
  sources: LevelSources,
): Promise<void> {
  const content = await contentFor(draft, file)
  const { manifests, format } = draft.parts
  // an archive manifest has its digest: nothing may be added
  if (manifests.some(({ manifest }) => manifest?.references.some(({ name }) => name === file.name))) return
  const own = format === 'asic-e' && level === 'B-LTA' ? 'B-LT' : level
  draft.changed.set(file.name, await extendCades(await readWhole(file, MAX_BYTES), content, own, sources))
}

/** What the signature is over: its manifest, whose files must fit, or the only file. */
async function contentFor({ container, parts }: Draft, file: ContainerFile): Promise<RandomAccess> {
  const [first, second] = parts.manifests.filter(({ manifest }) => manifest?.signature === file.name)
  const [only, other] = parts.data
  if (second !== undefined) throw broken('several manifests name a signature')
  if (first?.manifest) {
    const { faults } = await followManifest(first.manifest, container)
    if (faults.length > 0) throw broken('files of the container do not fit their manifest')
    return first.file.content
  }
  if (parts.format !== 'asic-s' || only === undefined || other !== undefined) {
    throw broken('it cannot be told what a signature of the container is over')
  }
  return only.content
}

function broken(message: string): SigningError {
  return new SigningError('signing/signature-broken', message)
}

const MAX_BYTES = 64 * 1024 * 1024
