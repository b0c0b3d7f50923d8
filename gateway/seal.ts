/**
 * Seals a stored PDF: the newest version goes through the seal key and comes back as a further version of the file.
 *
 * Asks nobody for permission; the caller has put `file.seal` to policies `decide()`. The document streams through, and
 * nothing of it is kept when key, document or store refuse.
 */
import { createHash } from 'node:crypto'
import { StorageError, isStorageError } from '../storage/index.ts'
import type { Actor, FileId, FileVersion, RoomId, Storage, StoredContent, World } from '../storage/index.ts'
import { sealPdf } from '../signing/index.ts'
import type { CertificateKind, SealRequest, SealedPdf, SigningKey } from '../signing/index.ts'
import { GatewayError } from './errors.ts'

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
}

export type Sealer = (file: FileId, by: Actor, texts?: Omit<SealRequest, 'signedAt'>) => Promise<SealedVersion>

export interface SealerDeps extends Pick<World, 'clock'> {
  storage: Storage
  /** the seal key; asked for at every seal, so that it may be opened late */
  key: () => Promise<SigningKey>
}

/**
 * The sealer throws
 * - SigningError `signing/…` the document cannot be sealed or the key must not be used; see signing/pdf/seal.ts
 * - GatewayError `gateway/not-found` the file is erased; `gateway/file-not-released` it is held back
 * - StorageError `storage/wrong-state` the file got another version meanwhile; nothing was changed
 */
export function createSealer({ storage, key, clock }: SealerDeps): Sealer {
  return async (fileId, by, texts = {}) => {
    const { current, roomId } = await storage.files.byId(fileId)
    if (current.state === 'erased') throw new GatewayError('gateway/not-found')
    if (current.state === 'held') throw new GatewayError('gateway/file-not-released')
    const signer = await key()
    const { stored, sealed } = await sealContent(storage, current, { signer, roomId, texts, signedAt: clock() })
    try {
      const version = await record(storage, { current, stored, sealed, signer, by })
      return { fileId, version, size: stored.size, sha256: stored.sha256, kind: sealed.kind }
    } catch (error) {
      // with the connection gone, nobody knows whether the commit arrived; the sweep of leftovers decides later
      if (!isStorageError(error, 'storage/database-unavailable')) await stored.discard()
      throw error
    }
  }
}

interface SealJob {
  roomId: RoomId
  signer: SigningKey
  texts: Omit<SealRequest, 'signedAt'>
  signedAt: Date
}

async function sealContent(
  storage: Storage,
  version: FileVersion,
  { signer, roomId, texts, signedAt }: SealJob,
): Promise<{ stored: StoredContent; sealed: SealedPdf }> {
  const source = await storage.contents.randomAccess(version.contentId)
  try {
    const sealed = await sealPdf(source, signer, { ...texts, signedAt })
    return { sealed, stored: await storage.contents.put(roomId, sealed.bytes) }
  } finally {
    await source.close()
  }
}

interface Outcome {
  /** the version that was sealed */
  current: FileVersion
  stored: StoredContent
  sealed: SealedPdf
  signer: SigningKey
  by: Actor
}

/** One transaction: content, version and evidence; refused when somebody else added a version in between. */
function record(storage: Storage, { current, stored, sealed, signer, by }: Outcome): Promise<number> {
  return storage.transact(async (rows) => {
    const now = await rows.files.byId(current.fileId)
    if (now.current.number !== current.number || now.current.state !== 'released') {
      throw new StorageError('storage/wrong-state', 'the file changed while it was sealed')
    }
    await stored.commit(rows.db)
    const version = { contentId: stored.contentId, mediaType: 'application/pdf', note: NOTE[sealed.kind] }
    const number = await rows.files.addVersion(current.fileId, { ...version, state: 'released' }, by)
    await rows.audit.append({
      action: 'file.sealed',
      subject: current.fileId,
      by,
      detail: {
        version: number,
        sealed: current.number,
        kind: sealed.kind,
        certificate: createHash('sha256').update(signer.certificateChain[0]).digest('hex'),
        sha256: stored.sha256,
      },
    })
    return number
  })
}

/** Stored with the version; the pages show it. */
const NOTE = {
  trial: 'sealed (trial)',
  advanced: 'sealed (advanced)',
  qualified: 'sealed (qualified)',
} as const satisfies Record<CertificateKind, string>
