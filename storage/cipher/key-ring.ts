/**
 * Keys: master key → scope key (room, mailbox, system) → segment key. Spec: FORMAT.md, part "Keys".
 */
import type { ScopeId, SegmentId } from '../ids.ts'
import type { Db } from '../metadata/schema.ts'

export interface RotationResult {
  /** id of the master key that everything is wrapped by now */
  masterKeyId: string
  /** scope keys rewrapped in this run */
  rewrapped: number
  /** ids of master keys whose files were removed */
  removed: string[]
}

export interface KeyRing {
  /** Makes a key for a scope, in the caller's transaction. @throws StorageError `storage/already-exists` */
  newScopeKey(db: Db, scope: ScopeId): Promise<void>
  /**
   * The key of a scope, 32 bytes; owned by the ring: never written to, never zeroed by the caller.
   * The system scope is made when it is asked for the first time.
   *
   * @throws StorageError `storage/not-found`, `storage/key-destroyed`, `storage/wrong-key`, `storage/key-damaged`
   */
  scopeKey(db: Db, scope: ScopeId): Promise<Buffer>
  /** Destroys a scope's key for good. @returns false = was destroyed before */
  destroyScope(db: Db, scope: ScopeId): Promise<boolean>
  /** Seals a segment's key by its scope's key: nonce 12 ‖ ciphertext 32 ‖ tag 16. */
  wrapSegmentKey(scopeKey: Buffer, segment: SegmentId, segmentKey: Buffer): Buffer
  /** @throws StorageError `storage/key-damaged` */
  unwrapSegmentKey(scopeKey: Buffer, segment: SegmentId, wrapped: Buffer): Buffer
  /** Seals a small secret (at most 64 KiB) under a scope; the label says what it is and must be the same to open. */
  sealBytes(db: Db, scope: ScopeId, label: string, bytes: Buffer): Promise<Buffer>
  /** @throws StorageError `storage/key-damaged` altered, or another label */
  openBytes(db: Db, scope: ScopeId, label: string, sealed: Buffer): Promise<Buffer>
  /** A 32 byte HMAC key for one purpose, derived from the system scope's key; survives rotation of the master key. */
  hmacKey(db: Db, label: string): Promise<Buffer>
  /**
   * Brings every scope key under a new master key; contents are not touched. Killed at any moment and run again, it
   * completes what was begun.
   */
  rotateMaster(): Promise<RotationResult>
  /** Id of the newest master key in the folder. */
  currentMasterKeyId(): string
}
