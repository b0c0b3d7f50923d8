/**
 * Reading a sealed content whole into memory, checked against what was frozen.
 */
import { createHash } from 'node:crypto'
import type { ContentId, Storage } from '../storage/index.ts'
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
