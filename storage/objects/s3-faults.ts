/** What the S3 client throws, as our errors. */
import { StorageError, type StorageErrorCode } from '../errors.ts'

const ABSENT = new Set(['NoSuchKey', 'NoSuchUpload', 'NotFound'])
const FULL = new Set(['QuotaExceeded', 'EntityTooLarge', 'InsufficientStorage'])

/**
 * Runs one request.
 *
 * @param absent the code for "not there": an object for most verbs, the bucket itself when it is looked for
 */
export async function guard<T>(work: () => Promise<T>, absent: StorageErrorCode = 'storage/object-absent'): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StorageError) throw error
    const name = nameOf(error)
    if (ABSENT.has(name) || (name !== 'NoSuchBucket' && statusOf(error) === 404)) {
      throw new StorageError(absent, `the object store says ${name}`, error)
    }
    if (FULL.has(name) || statusOf(error) === 507) {
      throw new StorageError('storage/disk-full', `the object store says ${name}`, error)
    }
    throw new StorageError(
      'storage/objects-unavailable',
      `the object store does not answer as it should (${name})`,
      error,
    )
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown'
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/** Whether one of our errors was made of this answer of the server. */
export function isAbout(error: unknown, name: string): boolean {
  return error instanceof StorageError && nameOf(error.cause) === name
}

/** For what may be gone already. */
export function ignoreAbsent(error: unknown): void {
  if (!(error instanceof StorageError && error.code === 'storage/object-absent')) throw error
}
