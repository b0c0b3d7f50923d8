/** A predicate for `assert.rejects` and `assert.throws`: a StorageError of this code, and of this message where one is given. */
import { isStorageError, type StorageErrorCode } from '../../errors.ts'

export function codeIs(code: StorageErrorCode, message = /^/): (error: unknown) => boolean {
  return (error) => {
    if (isStorageError(error, code) && message.test(error.message)) return true
    throw error
  }
}
