/**
 * Seals a stored PDF: the newest version goes through the seal key and comes back as a further version of the file.
 *
 * Asks nobody for permission; the caller has put `file.seal` to policies `decide()`. The document streams through, and
 * nothing of it is kept when key, document or store refuse. Where time-stamp or revocation data are not to be had, the
 * seal stays below its level and a job lifts it later.
 */
import { createHash } from 'node:crypto'
import { StorageError, isStorageError } from '../storage/index.ts'
import type { Actor, FileId, FileVersion, RoomId, Rows, Storage, StoredContent, World } from '../storage/index.ts'
import { readCertificate } from '../signing/index.ts'
import type { CertificateKind, SealedPdf, SigningKey } from '../signing/index.ts'
import { GatewayError } from './errors.ts'
import { sealToLevel } from './seal-level.ts'
import type { SealLevel, SealSetup, SealWishes } from './seal-level.ts'

export interface SealedVersion {
  fileId: FileId
  /** number of the new version */
  version: number
  /** bytes of the sealed document */
  size: number
  /** of the sealed document, hex */
  sha256: string
  /** what the seal is by its certificate */
  kind: CertificateKind
  /** level of the new version; a later one brings it to the level that was asked for */
  level: SealLevel
}

export interface Sealer {
  (file: FileId, by: Actor, wishes?: SealWishes): Promise<SealedVersion>
  /** What a seal would be now, by the certificate of the key. Opens the key. @throws SigningError the key cannot be used */
  describe(): Promise<SealDescription>
}

/** The certificate's own words; what they are worth, the trusted lists say when the seal is validated. */
export interface SealDescription {
  kind: CertificateKind
  commonName: string
  issuerName: string
  notAfter: Date
}

export interface SealerDeps extends Pick<World, 'clock'> {
  storage: Storage
  /** the seal key; asked for at every seal, so that it may be opened late */
  key: () => Promise<SigningKey>
  setup: SealSetup
}

/**
 * The sealer throws
 * - SigningError `signing/…` the document cannot be sealed or the key must not be used; see signing/pdf/seal.ts
 * - GatewayError `gateway/not-found` the file is erased; `gateway/file-not-released` it is held back;
 *   `gateway/not-configured` a level that needs a time-stamping authority, and none is set up
 * - StorageError `storage/wrong-state` the file got another version meanwhile; nothing was changed
 */
export function createSealer(deps: SealerDeps): Sealer {
  const { storage, key, clock } = deps
  const seal = async (fileId: FileId, by: Actor, wishes: SealWishes = {}): Promise<SealedVersion> => {
    const { current, roomId } = await storage.files.byId(fileId)
    if (current.state === 'erased') throw new GatewayError('gateway/not-found')
    if (current.state === 'held') throw new GatewayError('gateway/file-not-released')
    const signer = await key()
    const content = await sealContent(deps, current, { signer, roomId, wishes, signedAt: clock() })
    const seal = { ...content, current, signer, by }
    const version = await keepSeal(storage, seal)
    const { stored, sealed, level } = content
    return { fileId, version, size: stored.size, sha256: stored.sha256, kind: sealed.kind, level }
  }
  const describe = async (): Promise<SealDescription> => describeKey(await key())
  return Object.assign(seal, { describe })
}

export function describeKey({ kind, certificateChain }: SigningKey): SealDescription {
  const { commonName, issuerName, notAfter } = readCertificate(certificateChain[0])
  return { kind, commonName, issuerName, notAfter }
}

interface SealOrder {
  roomId: RoomId
  signer: SigningKey
  wishes: SealWishes
  signedAt: Date
}

interface SealedContent {
  stored: StoredContent
  sealed: Pick<SealedPdf, 'kind'>
  /** reached now, and wanted in the end */
  level: SealLevel
  wanted: SealLevel
}

async function sealContent(
  { storage, setup }: SealerDeps,
  version: FileVersion,
  { roomId, signer, wishes, signedAt }: SealOrder,
): Promise<SealedContent> {
  const source = await storage.contents.randomAccess(version.contentId)
  try {
    const { sealed, level, wanted } = await sealToLevel(source, signer, { setup, wishes, signedAt })
    return { sealed, level, wanted, stored: await storage.contents.put(roomId, sealed.bytes) }
  } finally {
    await source.close()
  }
}

export interface Seal extends SealedContent {
  /** the version that was sealed */
  current: FileVersion
  signer: SigningKey
  by: Actor
}

/**
 * One transaction: content, version, evidence, the job that lifts the seal, and what the caller adds; refused when
 * somebody else added a version in between. The content is discarded when it was not committed.
 *
 * @param also runs in the transaction, with the number of the new version
 */
export async function keepSeal(
  storage: Storage,
  seal: Seal,
  also: (rows: Rows, version: number) => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  try {
    return await storage.transact(async (rows) => {
      const number = await recordSeal(rows, seal)
      await also(rows, number)
      return number
    })
  } catch (error) {
    // with the connection gone, nobody knows whether the commit arrived; the sweep of leftovers decides later
    if (!isStorageError(error, 'storage/database-unavailable')) await seal.stored.discard()
    throw error
  }
}

async function recordSeal(rows: Rows, { current, stored, sealed, level, wanted, signer, by }: Seal): Promise<number> {
  const now = await rows.files.byId(current.fileId)
  if (now.current.number !== current.number || now.current.state !== 'released') {
    throw new StorageError('storage/wrong-state', 'the file changed while it was sealed')
  }
  await stored.commit(rows.db)
  const version = { contentId: stored.contentId, mediaType: 'application/pdf', note: NOTE[sealed.kind] }
  const number = await rows.files.addVersion(current.fileId, { ...version, state: 'released' }, by)
  if (level !== wanted) {
    await rows.jobs.add({ kind: 'lift', subject: current.fileId, payload: { version: number, level: wanted } })
  }
  await rows.audit.append({
    action: 'file.sealed',
    subject: current.fileId,
    by,
    detail: {
      version: number,
      sealed: current.number,
      kind: sealed.kind,
      level,
      certificate: createHash('sha256').update(signer.certificateChain[0]).digest('hex'),
      sha256: stored.sha256,
    },
  })
  return number
}

/** Stored with the version; the pages show it. */
const NOTE = {
  trial: 'sealed (trial)',
  advanced: 'sealed (advanced)',
  qualified: 'sealed (qualified)',
} as const satisfies Record<CertificateKind, string>
