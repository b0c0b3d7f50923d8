/**
 * What the library throws or answers, in our own words. It knows statuses and texts; we answer with codes.
 */
import { ERRORS } from '@tus/server'
import { StorageError } from '../../storage/index.ts'
import { GatewayError } from '../errors.ts'

/**
 * @param fault an error that passed through the library (ours come back as they are), or the status of an answer
 *   that it gave without an error
 */
export function libraryFault(fault: unknown): unknown {
  if (fault instanceof Error) return fault
  switch (fault) {
    case ERRORS.INVALID_OFFSET:
      return new StorageError('storage/offset-conflict', 'the upload is at another offset')
    case ERRORS.ERR_SIZE_EXCEEDED:
    case ERRORS.ERR_MAX_SIZE_EXCEEDED:
      return new StorageError('storage/size-exceeded', 'more bytes than declared or allowed')
    case ERRORS.FILE_NOT_FOUND:
      return new StorageError('storage/not-found', 'no such upload')
    case ERRORS.INVALID_LENGTH:
      return bad('Upload-Length')
    case ERRORS.ABORTED:
      return new StorageError('storage/upload-interrupted', 'the request was given up')
    default:
      // Everything else it could object to is tested before it is asked, so this is a disagreement of ours.
      return new GatewayError('gateway/internal', { message: 'the tus library refused a request', cause: fault })
  }
}

function bad(header: string): GatewayError {
  return new GatewayError('gateway/bad-input', { message: `${header} is not acceptable here`, facts: { header } })
}
