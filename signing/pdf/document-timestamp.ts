/**
 * A document time-stamp (EN 319 142-1 §5.4.3): over the whole document as it is, in an update of its own.
 */
import type { RandomAccess } from '../random-access.ts'
import type { TimestampSource } from '../timestamp/client.ts'
import { fillByteRange, fillContents } from './byte-range.ts'
import type { OpenOptions } from './document.ts'
import { growingDocument } from './growing-document.ts'
import type { GrowingDocument } from './growing-document.ts'
import { planTimestamp } from './seal-plan.ts'
import { withRoom } from './seal-layout.ts'

/**
 * The update with the time-stamp. Also for documents without any signature.
 *
 * @throws SigningError `signing/timestamp-unavailable`, `signing/no-room`; codes as sealPdf
 */
export function documentTimestamp(
  source: RandomAccess,
  timestamps: TimestampSource,
  options: OpenOptions = {},
): Promise<Buffer> {
  return timestampUpdate(growingDocument(source, options), timestamps)
}

export function timestampUpdate(document: GrowingDocument, timestamps: TimestampSource): Promise<Buffer> {
  const { original } = document
  const before = document.current().size
  return withRoom(timestamps.tokenBytes, async (tokenBytes) => {
    const { update, signatureAt } = await planTimestamp(await document.open(), tokenBytes)
    const range = fillByteRange(update, signatureAt, before)
    const hash = (await original.hash(timestamps.digest)).update(document.added())
    hash.update(update.subarray(0, range.gapStart - before))
    hash.update(update.subarray(range.gapEnd - before))
    const token = await timestamps.stamp(hash.digest())
    fillContents(update, range, before, token.der)
    return update
  })
}
