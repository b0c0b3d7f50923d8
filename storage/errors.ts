/**
 * Faults of storage. The code is the contract: the gateway maps it to a problem, the command line to a sentence.
 * Messages name the thing and the limit, never a file name, a person or a secret.
 */

/** Closed union of everything that storage can fail with. */
export type StorageErrorCode =
  /** no such row, or not visible under this id */
  | 'storage/not-found'
  /** text that is not an id of the kind asked for */
  | 'storage/bad-id'
  /** a value that the database must not see: undefined, NaN, a boolean, text with NUL, or out of its bounds */
  | 'storage/bad-value'
  /** a name or address that has to be unique is taken */
  | 'storage/already-exists'
  /** something else still refers to it */
  | 'storage/in-use'
  /** the state of the row does not allow this act */
  | 'storage/wrong-state'
  /** the key folder does not hold the master key that this data was wrapped with */
  | 'storage/wrong-key'
  /** the key folder holds no master key at all, yet the database has keys wrapped by one */
  | 'storage/key-absent'
  /** a key file or a wrapped key was altered: its bytes do not answer to its id */
  | 'storage/key-damaged'
  /** the key was destroyed on purpose; what it sealed cannot be read again by anyone */
  | 'storage/key-destroyed'
  /** a sealed object does not open: altered, shortened or reordered */
  | 'storage/object-damaged'
  /** the object store does not have the object that a row names */
  | 'storage/object-absent'
  /** the object store does not answer */
  | 'storage/objects-unavailable'
  /** the offset named is not the stored one */
  | 'storage/offset-conflict'
  /** more bytes than declared or allowed */
  | 'storage/size-exceeded'
  /** a second, different declaration of the length */
  | 'storage/size-mismatch'
  /** another writer holds the upload and did not let go in time */
  | 'storage/upload-locked'
  /** the source of an upload broke off; what had arrived is kept */
  | 'storage/upload-interrupted'
  /** the upload was cancelled or has expired */
  | 'storage/upload-gone'
  /** the upload is already whole */
  | 'storage/upload-finished'
  /** the bytes of this request do not match the digest sent with them; none were kept */
  | 'storage/checksum-mismatch'
  /** no room left on the disk or in the bucket */
  | 'storage/disk-full'
  /** the quota of the room or unit is used up */
  | 'storage/quota-exceeded'
  /** the room takes nothing new */
  | 'storage/room-closed'
  /** the database cannot be reached or stays locked */
  | 'storage/database-unavailable'
  /** the database was written by a newer program */
  | 'storage/schema-newer'
  /** the audit log lost its head, so nothing may be appended */
  | 'storage/audit-broken'
  /** the passphrase does not open the key backup */
  | 'storage/backup-bad-passphrase'
  /** the key backup or a share of it was altered, or the shares do not belong together */
  | 'storage/backup-damaged'
  /** fewer shares than the backup needs */
  | 'storage/backup-too-few-shares'

export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code: StorageErrorCode

  /**
   * @param code what went wrong, stable
   * @param message lower case, no full stop, names thing and limit
   * @param cause the error underneath, for the log
   */
  constructor(code: StorageErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** Reads as a claim: `isStorageError(error, 'storage/not-found')`. */
export function isStorageError(error: unknown, code?: StorageErrorCode): error is StorageError {
  return error instanceof StorageError && (code === undefined || error.code === code)
}
