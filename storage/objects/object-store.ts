/**
 * Port: where sealed bytes lie. Two adapters: filesystem.ts and s3.ts; one suite: test/suites/object-store.suite.ts.
 *
 * An object is written once under a random id that is never used again, so no verb here has to guard against
 * overwriting. What counts is decided by rows, never by what happens to lie in the store.
 *
 * Faults are StorageErrors: `storage/object-absent`, `storage/objects-unavailable`, `storage/disk-full`.
 * Every verb may be repeated after a fault; `delete` and `abort` of something absent succeed.
 */
import type { SegmentCipher } from '../cipher/chunks.ts'
import type { ObjectId } from '../ids.ts'

export interface ObjectStore {
  /** Chunks in part `number` (from 1) of an object that is written in parts; FORMAT.md, "Parts". */
  chunksInPart(number: number): number
  /** How many parts of one object may be on their way at once; more pay off where each waits for a network. */
  readonly partsInFlight: number
  /** Whether a part should come with the SHA-256 of its bytes. */
  readonly wantsDigest: boolean
  /** How many bytes one reader should ask for at a time, and how many such requests pay off at once. */
  readonly readAhead: { bytes: number; requests: number }
  /** Stores a small object whole; durable when this resolves. */
  put(id: ObjectId, bytes: Uint8Array): Promise<void>
  /**
   * Seals a small byte string as the only run of its segment and stores that, in one step on another thread; as `put` else.
   * Absent where the store has no threads: whoever calls then seals and puts. `plain` may change afterwards.
   *
   * @returns SHA-256 of the plaintext, hex
   */
  sealAndPut?(id: ObjectId, plain: Uint8Array, cipher: SegmentCipher): Promise<string>
  /**
   * Opens an object to be written in parts: a new one (`handle` null) or one begun before.
   *
   * @param handle what `PartWriter.handle` said when it was begun
   * @throws StorageError `storage/object-absent` what was begun is gone (aborted behind our back)
   */
  openParts(id: ObjectId, handle: string | null): Promise<PartWriter>
  /**
   * Makes an object out of the first parts, as many as there are receipts or bytes; readable and durable when this resolves.
   * Idempotent: when the outcome of an earlier call is unknown, this asks the store instead of repeating blindly.
   *
   * @throws StorageError `storage/object-absent` neither the parts nor the object are there
   */
  complete(id: ObjectId, parts: FinishedParts): Promise<void>
  /**
   * Drops an object begun with `openParts` that will never be completed, with all its parts.
   *
   * @param handle null = whatever was begun under this id
   */
  abort(id: ObjectId, handle: string | null): Promise<void>
  /** A reader over a whole object. @throws StorageError `storage/object-absent` */
  open(id: ObjectId): Promise<ObjectReader>
  /** Size in bytes of a whole object; null = absent. */
  size(id: ObjectId): Promise<number | null>
  delete(id: ObjectId): Promise<void>
  /** All whole objects, in no particular order. */
  list(): AsyncIterable<StoredObject>
  /** All objects that were begun and neither completed nor aborted. */
  listUnfinished(): AsyncIterable<UnfinishedObject>
  /** Bytes that may still be stored; null = no limit known. */
  free(): Promise<number | null>
  close(): Promise<void>
}

export interface FinishedParts {
  handle: string
  /** what `putPart` returned, in order of part numbers from 1; empty when the store gives none */
  receipts: readonly string[]
  /** sealed bytes in these parts together */
  bytes: number
}

/** One object in the making. One owner at a time; parts may be put in parallel and in any order. */
export interface PartWriter {
  readonly handle: string
  /**
   * Stores part `number` (from 1), whose first byte lies at `position` of the object.
   * `bytes` must not change until this resolves. A part may be put again only after a call for it has resolved.
   *
   * @returns the store's receipt, needed by `complete`; null = this store gives none
   */
  putPart(number: number, position: number, part: SealedPart): Promise<string | null>
  /** When this resolves, every part whose `putPart` resolved before the call survives a loss of power. */
  flush(): Promise<void>
  /** Lets go of what this process holds open; the parts stay. */
  close(): Promise<void>
}

export interface SealedPart {
  bytes: Uint8Array
  /** SHA-256 of these bytes, hex, when somebody already knows it */
  sha256?: string | undefined
}

export interface ObjectReader {
  readonly size: number
  /**
   * Fills `into` with the bytes from `position` on. Once this has settled, nothing is written there any more.
   *
   * @throws StorageError `storage/object-damaged` the object ends earlier
   */
  read(position: number, into: Uint8Array): Promise<void>
  close(): Promise<void>
}

export interface StoredObject {
  id: ObjectId
  size: number
  changedAt: Date
}

export interface UnfinishedObject {
  id: ObjectId
  handle: string
  startedAt: Date
}
