/**
 * Lifts containers to B-T, B-LT and B-LTA and renews them (ETSI EN 319 162-1 §4.3, §4.4, §A.7).
 *
 * The levels are those of the signatures inside, but B-LTA of an ASiC-E with CAdES is an archive manifest; what it names is
 * never changed again. Data files are taken over byte by byte.
 */
import { extendCades } from '../cms/cades-levels.ts'
import type { AdesLevel, LevelSources } from '../cms/cades-levels.ts'
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import { extendXades } from '../xades/levels.ts'
import { addArchiveManifest } from './archive-manifest.ts'
import { fileAt, openContainer, readWhole } from './container.ts'
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
 * and extendXades
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
  const isSigned = parts.cades.length + parts.xades.length > 0
  if (parts.format === 'zip' || !isSigned) throw broken('there is no signature of an ASiC in the container')
  const draft: Draft = { container, parts, changed: new Map() }
  for (const file of parts.cades) await liftCades(draft, file, level, sources)
  for (const file of parts.xades) await liftXades(draft, file, level, sources)
  const byManifest = parts.format === 'asic-e' && parts.cades.length > 0
  if (level === 'B-LTA' && byManifest) await addArchiveManifest(draft, sources)
  return writeDraft(draft, at)
}

async function liftCades(draft: Draft, file: ContainerFile, level: AdesLevel, sources: LevelSources): Promise<void> {
  const content = await contentFor(draft, file)
  if (isFrozen(draft, file)) return
  const own = draft.parts.format === 'asic-e' && level === 'B-LTA' ? 'B-LT' : level
  draft.changed.set(file.name, await extendCades(await readWhole(file, MAX_BYTES), content, own, sources))
}

async function liftXades(draft: Draft, file: ContainerFile, level: AdesLevel, sources: LevelSources): Promise<void> {
  if (isFrozen(draft, file)) return
  const { container } = draft
  const detached = (uri: string): RandomAccess | null => fileAt(container, uri)?.content ?? null
  draft.changed.set(file.name, await extendXades(await readWhole(file, MAX_BYTES), detached, level, sources))
}

/** An archive manifest has its digest: nothing may be added. */
function isFrozen({ parts }: Draft, file: ContainerFile): boolean {
  return parts.manifests.some(({ manifest }) => manifest?.references.some(({ name }) => name === file.name))
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
