/** A predicate for `assert.rejects` and `assert.throws`: a StorageError of this code. */
import { isStorageError, type StorageErrorCode } from '../../errors.ts'

export function codeIs(code: StorageErrorCode): (error: unknown) => boolean {
  return (error) => {
    if (isStorageError(error, code)) return true
    throw error
  }
}
