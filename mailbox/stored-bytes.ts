/**
 * Sealed contents as the mailbox uses them: read whole and checked against what was frozen, and committed with care.
 */
import { createHash } from 'node:crypto'
import { isStorageError } from '../storage/index.ts'
import type { ContentId, Storage, StoredContent } from '../storage/index.ts'
import { MailboxError } from './errors.ts'

/**
 * Reads a content.
 *
 * @param frozen size in bytes and hex SHA-256 that it must have
 * @throws MailboxError `mailbox/nothing-to-send` it is not what was frozen
 * @throws StorageError as `contents.open`
 */
export async function readContent(
  storage: Storage,
  id: ContentId,
  frozen?: { size: number; sha256: string },
): Promise<Buffer> {
  const content = await storage.contents.open(id)
  const chunks: Buffer[] = []
  for await (const chunk of content.stream as AsyncIterable<Buffer>) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  if (frozen && (bytes.length !== frozen.size || sha256(bytes) !== frozen.sha256)) {
    throw new MailboxError('mailbox/nothing-to-send', `content ${id} is not what was frozen`)
  }
  return bytes
}

/** Lower-case hex SHA-256. */
export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * Runs the transaction that makes use of contents, and takes their bytes away again when it certainly did not happen.
 *
 * A connection lost during COMMIT leaves open whether the rows exist: then the bytes stay, and `doctor` sweeps them if
 * nobody names them. Deleting what a row names would lose a message.
 */
export async function commitOrDiscard<T>(stored: readonly StoredContent[], transaction: () => Promise<T>): Promise<T> {
  try {
    return await transaction()
  } catch (error) {
    if (isStorageError(error) && error.code !== 'storage/database-unavailable') await discardAll(stored)
    throw error
  }
}

/** Takes bytes away that no transaction has used. */
export async function discardAll(stored: readonly StoredContent[]): Promise<void> {
  for (const content of stored) await content.discard()
}
