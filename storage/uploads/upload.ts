/** The words of uploads: what one is begun with, what is known of it, who may write to it. */
import type { FileId, RoomId, UploadId, UserId } from '../ids.ts'

export interface UploadSpec {
  roomId: RoomId
  /** file name as given; checked by the caller; empty for a partial */
  name: string
  mediaType?: string | undefined
  /** plaintext bytes; null = declared later */
  size: number | null
  /** Upload-Metadata exactly as given */
  metadata: string
  kind: 'whole' | 'partial'
  /** how long the upload may rest after its last acknowledged byte */
  expiresAfterMs: number
}

export interface BegunUpload {
  id: UploadId
  /** base64url of 32 random bytes; exists nowhere else */
  ticket: string
  state: UploadState
}

export interface UploadState {
  id: UploadId
  roomId: RoomId
  /** plaintext bytes kept */
  offset: number
  /** null = deferred */
  size: number | null
  kind: 'whole' | 'partial' | 'final'
  metadata: string
  expiresAt: Date
  state: 'open' | 'finished'
  /** null = not by a user */
  createdBy: UserId | null
  /** the file it became; null = unfinished, or a partial */
  fileId: FileId | null
}

export interface AppendOptions {
  checksum?: { algorithm: ChecksumAlgorithm; expected: Buffer } | undefined
  /** refuse more than this many bytes in this request */
  maxBytes: number
  /** the source's pieces are nobody else's: their memory is given back, unreadable, as soon as it was copied */
  ownsPieces?: boolean
}

export type ChecksumAlgorithm = 'sha1' | 'sha256' | 'crc32c'

/** The right to write to one upload, renewed in the background until released. */
export interface Lease {
  readonly uploadId: UploadId
  /** aborts when somebody newer wants the upload; `append` obeys it by itself */
  readonly wanted: AbortSignal
  release(): Promise<void>
}
