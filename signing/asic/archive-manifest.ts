/**
 * The archive manifest of an ASiC-E: names all files, and a time-stamp is over it (ETSI EN 319 162-1 §4.4.4.2, §A.7).
 *
 * The newest is always ASiCArchiveManifest.xml; the one before gets the evidence of its time-stamp, and another name.
 */
import { createHash } from 'node:crypto'
import type { LevelSources } from '../cms/cades-levels.ts'
import { merged, readSignedData, writeSignedData } from '../cms/container.ts'
import { missingEvidence, revocationChoices } from '../cms/evidence.ts'
import { timestampLeaf } from '../cms/signature-timestamp.ts'
import { SigningError } from '../errors.ts'
import { parseToken } from '../timestamp/token.ts'
import { digestOf } from '../trust/algorithm-identifier.ts'
import { readWhole } from './container.ts'
import type { ContainerFile } from './container.ts'
import { freeName } from './draft.ts'
import type { Draft } from './draft.ts'
import { writeManifest } from './manifest.ts'
import type { ManifestContent } from './manifest.ts'
import { MIMETYPE, PATTERNS } from './parts.ts'
import { followManifest } from './references.ts'

/**
 * Adds the next archive manifest with its time-stamp to the draft.
 *
 * @throws SigningError `signing/signature-broken`, `signing/evidence-missing`, `signing/timestamp-unavailable`
 */
export async function addArchiveManifest(draft: Draft, sources: LevelSources): Promise<void> {
  const previous = await retireNewest(draft, sources)
  const token = freeName(draft, 'META-INF/timestamp', '.tst')
  const manifest = writeManifest({
    signature: { name: token, mimeType: TOKEN_TYPE },
    references: await referencesOf(draft, previous, sources.timestamps.digest),
  })
  const stamp = await sources.timestamps.stamp(createHash(sources.timestamps.digest).update(manifest).digest())
  draft.changed.set(NEWEST, manifest)
  draft.changed.set(token, stamp.der)
}

/** The new name of the archive manifest before; null: there was none. */
async function retireNewest(draft: Draft, sources: LevelSources): Promise<string | null> {
  const before = draft.parts.manifests.find(({ file }) => file.name === NEWEST)
  if (before === undefined) return null
  const { manifest, file } = before
  const token = manifest?.signature == null ? undefined : draft.container.byName.get(manifest.signature)
  if (manifest === null || token === undefined) throw broken('an archive manifest has no time-stamp')
  const { faults } = await followManifest(manifest, draft.container)
  if (faults.length > 0) throw broken('files of the container do not fit their archive manifest')
  draft.changed.set(token.name, await withEvidence(token, file, sources))
  const name = freeName(draft, 'META-INF/ASiCArchiveManifest', '.xml')
  draft.changed.set(NEWEST, null)
  draft.changed.set(name, await readWhole(file, MAX_BYTES))
  return name
}

/** The token with the evidence for its authority inside, where its own signature does not reach. */
async function withEvidence(file: ContainerFile, manifest: ContainerFile, sources: LevelSources): Promise<Buffer> {
  const token = parseToken(await readWhole(file, MAX_BYTES))
  const { algorithm, value } = token.info.imprint
  const digest = digestOf(algorithm)
  if (digest === null || !(await manifest.digest(digest)).equals(value)) {
    throw broken('the time-stamp of an archive manifest does not fit')
  }
  const parts = readSignedData(token.der)
  const given = { certificates: parts.certificates, crls: [], ocsps: [] }
  const { evidence, gaps } = await sources.evidence.collect([await timestampLeaf(token, false)], given)
  if (gaps.length > 0) throw missingEvidence(gaps)
  return writeSignedData({
    ...parts,
    certificates: merged(parts.certificates, evidence.certificates),
    crls: merged(parts.crls, revocationChoices(evidence)),
  })
}

/** All files as they will be, apart from the mimetype. */
async function referencesOf(
  { container, parts, changed }: Draft,
  previous: string | null,
  digest: 'sha256' | 'sha384' | 'sha512',
): Promise<ManifestContent['references']> {
  const known = parts.manifests.flatMap(({ manifest }) => manifest?.references ?? [])
  const types = new Map(known.map(({ name, mimeType }) => [name, mimeType]))
  const values = new Map<string, Buffer>()
  for (const file of container.files) {
    if (!changed.has(file.name) && file.name !== MIMETYPE) values.set(file.name, await file.digest(digest))
  }
  for (const [name, bytes] of changed) {
    if (bytes !== null) values.set(name, createHash(digest).update(bytes).digest())
  }
  return [...values].map(([name, value]) => ({
    name,
    value,
    digest,
    mimeType: typeOf(name) ?? types.get(name) ?? null,
    isRoot: name === previous,
  }))
}

function typeOf(name: string): string | null {
  if (PATTERNS.cades.test(name)) return 'application/pkcs7-signature'
  if (PATTERNS.token.test(name)) return TOKEN_TYPE
  return PATTERNS.manifest.test(name) || PATTERNS.xades.test(name) ? 'text/xml' : null
}

function broken(message: string): SigningError {
  return new SigningError('signing/signature-broken', message)
}

const NEWEST = 'META-INF/ASiCArchiveManifest.xml'
const TOKEN_TYPE = 'application/vnd.etsi.timestamp-token'
const MAX_BYTES = 64 * 1024 * 1024
