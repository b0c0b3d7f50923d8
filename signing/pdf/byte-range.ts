/**
 * The signature dictionary with its two holes (ISO 32000-2 §12.8.1): /Contents, which is not signed and gets the CMS
 * object, and /ByteRange, which says what is signed: everything else, up to the end of the document.
 */
import { SigningError } from '../errors.ts'
import { array, dictionary, name, number } from './values.ts'
import type { PdfDictionary, PdfValue } from './values.ts'

/** Where the signature lies; all offsets absolute. */
export interface ByteRange {
  /** of the `<` of /Contents: end of the first signed range, which begins at 0 */
  gapStart: number
  /** of the byte after its `>`: start of the second signed range, which ends with the document */
  gapEnd: number
}

/**
 * A signature dictionary with room for a CMS object of `reservedBytes`.
 *
 * @param entries further entries
 */
export function signatureDictionary(entries: ReadonlyMap<string, PdfValue>, reservedBytes: number): PdfDictionary {
  const { entries: own } = withHoles('Sig', 'ETSI.CAdES.detached', reservedBytes)
  return { kind: 'dictionary', entries: new Map([...own, ...entries]) }
}

/**
 * A dictionary for a document time-stamp (EN 319 142-1 §5.4.3): neither /M nor anything else that could claim a time.
 */
export function timestampDictionary(reservedBytes: number): PdfDictionary {
  return withHoles('DocTimeStamp', 'ETSI.RFC3161', reservedBytes)
}

function withHoles(type: string, subFilter: string, reservedBytes: number): PdfDictionary {
  const largest = number(9_999_999_999)
  return dictionary({
    Type: name(type),
    Filter: name('Adobe.PPKLite'),
    SubFilter: name(subFilter),
    ByteRange: array(number(0), largest, largest, largest),
    Contents: { kind: 'string', raw: `<${'0'.repeat(reservedBytes * 2)}>` },
  })
}

/**
 * Writes /ByteRange for a document of `before` bytes followed by `update`, in place.
 *
 * @param at offset in `update` of the signature dictionary
 */
export function fillByteRange(update: Buffer, at: number, before: number): ByteRange {
  const rangeAt = update.indexOf(BYTE_RANGE, at, 'latin1')
  const open = update.indexOf('<', rangeAt, 'latin1')
  const close = update.indexOf('>', open, 'latin1')
  if (rangeAt < at || open < rangeAt || close < open) throw broken()
  const range = { gapStart: before + open, gapEnd: before + close + 1 }
  const text = `/ByteRange [0 ${range.gapStart} ${range.gapEnd} ${before + update.length - range.gapEnd}]`
  if (text.length > BYTE_RANGE.length) throw broken()
  update.write(text.padEnd(BYTE_RANGE.length), rangeAt, 'latin1')
  return range
}

/** Writes the CMS object into the hole, in place; what remains of the hole stays zero (EN 319 142-1 §5.2). */
export function fillContents(update: Buffer, range: ByteRange, before: number, cms: Buffer): void {
  const start = range.gapStart - before + 1
  const end = range.gapEnd - before - 1
  const hole = update.subarray(start, end)
  if (update[start - 1] !== LESS || update[end] !== GREATER || hole[0] !== ZERO || !isRepeated(hole)) throw broken()
  if (cms.length * 2 > hole.length) {
    throw new SigningError('signing/no-room', 'the signature does not fit into the place reserved for it')
  }
  update.write(cms.toString('hex'), start, 'latin1')
}

/** Every byte is like the one before it. */
function isRepeated(bytes: Buffer): boolean {
  return bytes.subarray(1).equals(bytes.subarray(0, -1))
}

function broken(): SigningError {
  return new SigningError('signing/signature-failed', 'the signature does not fit into the place reserved for it')
}

const [LESS, GREATER, ZERO] = [0x3c, 0x3e, 0x30]
/** Room for three offsets of ten digits, as `withHoles` comes out. */
const BYTE_RANGE = '/ByteRange [0 9999999999 9999999999 9999999999]'
