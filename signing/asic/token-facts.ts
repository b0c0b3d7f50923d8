/**
 * Facts about the time-stamp files of a container: over a manifest, over an archive manifest, or over the one file of an
 * ASiC-S (ETSI EN 319 162-1 §4.3.3.1, §4.4.4, §A.7).
 */
import { objectsIn, idsOf, objectsInToken } from '../cms/carried.ts'
import type { CarriedObject } from '../cms/carried.ts'
import { readSignedData } from '../cms/container.ts'
import { SigningError } from '../errors.ts'
import { readTokenFacts } from '../timestamp/facts.ts'
import type { TimestampFacts, TimestampFault } from '../validation/facts.ts'
import { objectsWithin } from '../xades/carried.ts'
import { parseDocument } from '../xml/parse.ts'
import { readWhole } from './container.ts'
import type { Container, ContainerFile } from './container.ts'
import { PATTERNS } from './parts.ts'
import type { ContainerParts } from './parts.ts'
import { followManifest } from './references.ts'

export interface TokenFileFacts {
  timestamp: TimestampFacts
  objects: CarriedObject[]
  /** names of the data files that it covers */
  covered: readonly string[]
}

export async function readTokenFile(
  file: ContainerFile,
  id: string,
  { container, parts }: { container: Container; parts: ContainerParts },
): Promise<TokenFileFacts> {
  const bytes = await readWhole(file, MAX_TOKEN_BYTES)
  const objects = objectsInToken(bytes)
  const named = parts.manifests.filter(({ manifest }) => manifest?.signature === file.name)
  const [first] = named
  const [only] = parts.data
  if (named.length === 1 && first?.manifest) {
    const { fitting, faults } = await followManifest(first.manifest, container)
    const facts = await readTokenFacts({
      bytes,
      id,
      kind: 'manifest',
      contentDigest: first.file.digest,
      covers: await coveredIds(fitting),
    })
    const broken = faults.map(({ detail }): TimestampFault => ({ code: 'index', detail }))
    return {
      timestamp: { ...facts, faults: [...facts.faults, ...broken] },
      objects,
      covered: fitting.map(({ name }) => name),
    }
  }
  const isSimple = parts.format === 'asic-s' && parts.data.length === 1 && only !== undefined
  const contentDigest = isSimple ? only.digest : null
  const timestamp = await readTokenFacts({ bytes, id, kind: 'document', contentDigest, covers: new Set() })
  return { timestamp, objects, covered: isSimple ? [only.name] : [] }
}

/** Names of the files themselves, and of what signatures and time-stamps among them carry. */
async function coveredIds(files: readonly ContainerFile[]): Promise<Set<string>> {
  const ids = new Set<string>()
  for (const file of files) {
    ids.add((await file.digest('sha256')).toString('hex'))
    for (const id of await idsInside(file)) ids.add(id)
  }
  return ids
}

/** Looked for once: every later time-stamp may be over the same file. */
function idsInside(file: ContainerFile): Promise<readonly string[]> {
  const found = known.get(file) ?? objectsOf(file).then(idsOf)
  known.set(file, found)
  return found
}

const known = new WeakMap<ContainerFile, Promise<readonly string[]>>()

async function objectsOf(file: ContainerFile): Promise<readonly CarriedObject[]> {
  const { name } = file
  if (!PATTERNS.cades.test(name) && !PATTERNS.token.test(name) && !PATTERNS.xades.test(name)) return []
  const bytes = await readWhole(file, MAX_SIGNATURE_BYTES)
  if (PATTERNS.token.test(name)) return objectsInToken(bytes)
  try {
    if (PATTERNS.xades.test(name)) return objectsWithin(parseDocument(bytes, XML_LIMITS).root)
    const parts = readSignedData(bytes)
    return [...parts.signers.map(({ value }) => ({ kind: 'value' as const, bytes: value })), ...objectsIn(parts)]
  } catch (error) {
    if (error instanceof SigningError) return []
    throw error
  }
}

const MAX_TOKEN_BYTES = 16 * 1024 * 1024
const MAX_SIGNATURE_BYTES = 64 * 1024 * 1024
const XML_LIMITS = { maxBytes: MAX_SIGNATURE_BYTES, maxDepth: 100, maxElements: 200_000 }
