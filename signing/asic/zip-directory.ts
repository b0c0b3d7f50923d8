/**
 * The directory of a ZIP archive, read strictly (APPNOTE 6.3.10 §4.3, §4.4; ETSI EN 319 162-1 §A.1).
 *
 * Only what readers of any kind read the same way is taken: one archive in one file, ZIP64 where it is needed. What the
 * entries hold, zip-content.ts reads; which names are fit to be used, zip-names.ts says.
 */
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'

export interface ZipEntry {
  readonly name: string
  readonly rawName: Buffer
  /** general purpose bits (§4.4.4) */
  readonly flags: number
  /** 0 stored, 8 deflated; others are not read */
  readonly method: number
  readonly crc32: number
  /** bytes in the archive */
  readonly packedBytes: number
  /** bytes of the content */
  readonly size: number
  /** where its local header begins */
  readonly offset: number
  readonly hasExtraField: boolean
  readonly hasComment: boolean
  /** a name in an extra field that differs from the one above (§4.6.9): readers disagree */
  readonly hasOtherName: boolean
  /** DOS date and time as they stand there */
  readonly modified: number
}

export interface ZipDirectory {
  entries: ZipEntry[]
  /** where the directory begins: nothing of an entry lies behind it */
  start: number
  /** bytes of the archive comment */
  commentBytes: number
}

/**
 * Reads the directory.
 *
 * @throws SigningError `signing/container-damaged` no directory, several that could be meant, or beyond the limits
 */
export async function readDirectory(source: RandomAccess): Promise<ZipDirectory> {
  const tailBytes = Math.min(source.size, END_BYTES + MAX_COMMENT_BYTES)
  const tail = await source.read(source.size - tailBytes, tailBytes)
  const found: ZipDirectory[] = []
  // a comment may hold what looks like an end record; only one that a directory belongs to counts
  for (let at = tail.lastIndexOf(END_MARK); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf(END_MARK, at - 1)) {
    const directory = await directoryBefore(source, tail.subarray(at), source.size - tailBytes + at)
    if (directory !== null) found.push(directory)
    if (found.length > 1) throw damaged('two directories could be meant')
  }
  const [directory] = found
  if (directory === undefined) throw damaged('this is no ZIP archive, or its end is missing')
  return directory
}

/** Null when this is no end record with a directory right before it. */
async function directoryBefore(source: RandomAccess, end: Buffer, endOffset: number): Promise<ZipDirectory | null> {
  if (end.length < END_BYTES || end.readUInt16LE(20) !== end.length - END_BYTES) return null
  const fields = (await readZip64(source, endOffset)) ?? {
    isOneDisk: end.readUInt16LE(4) === 0 && end.readUInt16LE(6) === 0 && end.readUInt16LE(8) === end.readUInt16LE(10),
    count: end.readUInt16LE(10),
    bytes: end.readUInt32LE(12),
    start: end.readUInt32LE(16),
    end: endOffset,
  }
  const { isOneDisk, count, bytes, start } = fields
  if (!isOneDisk || start + bytes !== fields.end) return null
  if (count > MAX_ENTRIES || bytes > MAX_DIRECTORY_BYTES) throw damaged('the archive has too many entries')
  const entries = readEntries(await source.read(start, bytes), count)
  return entries === null ? null : { entries, start, commentBytes: end.length - END_BYTES }
}

interface EndFields {
  isOneDisk: boolean
  count: number
  bytes: number
  start: number
  /** where the directory has to end */
  end: number
}

/** The ZIP64 record, when its locator stands right before the end record (§4.3.14, §4.3.15). */
async function readZip64(source: RandomAccess, endOffset: number): Promise<EndFields | null> {
  if (endOffset < LOCATOR_BYTES) return null
  const locator = await source.read(endOffset - LOCATOR_BYTES, LOCATOR_BYTES)
  if (locator.readUInt32LE(0) !== 0x07064b50) return null
  const at = Number(locator.readBigUInt64LE(8))
  // no room for extensible data: the record ends where the locator begins
  if (at !== endOffset - LOCATOR_BYTES - END64_BYTES) throw damaged('a ZIP64 end record is not where it should be')
  const record = await source.read(at, END64_BYTES)
  if (record.readUInt32LE(0) !== 0x06064b50) throw damaged('a ZIP64 end record is missing')
  const count = Number(record.readBigUInt64LE(32))
  return {
    isOneDisk:
      record.readUInt32LE(16) === 0 && record.readUInt32LE(20) === 0 && record.readBigUInt64LE(24) === BigInt(count),
    count,
    bytes: Number(record.readBigUInt64LE(40)),
    start: Number(record.readBigUInt64LE(48)),
    end: at,
  }
}

/** Null when the directory is not exactly filled with this many entries. */
function readEntries(bytes: Buffer, count: number): ZipEntry[] | null {
  const entries: ZipEntry[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50) return null
    const nameBytes = bytes.readUInt16LE(at + 28)
    const extraBytes = bytes.readUInt16LE(at + 30)
    const commentBytes = bytes.readUInt16LE(at + 32)
    const end = at + HEADER_BYTES + nameBytes + extraBytes + commentBytes
    if (end > bytes.length || bytes.readUInt16LE(at + 34) !== 0) return null
    entries.push(readEntry(bytes.subarray(at, end), nameBytes, extraBytes))
    at = end
  }
  return entries.length === count ? entries : null
}

function readEntry(header: Buffer, nameBytes: number, extraBytes: number): ZipEntry {
  const rawName = header.subarray(HEADER_BYTES, HEADER_BYTES + nameBytes)
  const extra = header.subarray(HEADER_BYTES + nameBytes, HEADER_BYTES + nameBytes + extraBytes)
  const fields = readExtraFields(extra)
  const wide = fields.get(0x0001) ?? Buffer.alloc(0)
  let wideAt = 0
  const number = (at: number): number => {
    const value = header.readUInt32LE(at)
    if (value !== 0xffffffff) return value
    // §4.5.3: only those that do not fit stand here, in this order
    if (wideAt + 8 > wide.length) throw damaged('a ZIP64 size is missing')
    wideAt += 8
    return Number(wide.readBigUInt64LE(wideAt - 8))
  }
  const [size, packedBytes, offset] = [number(24), number(20), number(42)]
  const other = fields.get(0x7075)?.subarray(5)
  return {
    name: decodeName(rawName),
    rawName,
    flags: header.readUInt16LE(8),
    method: header.readUInt16LE(10),
    modified: header.readUInt32LE(12),
    crc32: header.readUInt32LE(16),
    packedBytes,
    size,
    offset,
    hasExtraField: extraBytes > 0,
    hasComment: header.length > HEADER_BYTES + nameBytes + extraBytes,
    hasOtherName: other !== undefined && !other.equals(rawName) && other.toString() !== decodeName(rawName),
  }
}

/** By header id; what is not well-formed is left out, as is what follows it. */
export function readExtraFields(extra: Buffer): Map<number, Buffer> {
  const fields = new Map<number, Buffer>()
  for (let at = 0; at + 4 <= extra.length;) {
    const length = extra.readUInt16LE(at + 2)
    if (at + 4 + length > extra.length) break
    fields.set(extra.readUInt16LE(at), extra.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return fields
}

/** UTF-8, with or without the flag that says so; other old names are in code page 437 (APPNOTE §D.1). */
function decodeName(raw: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw)
  } catch {
    return raw.toString('latin1').replace(/[\x80-\xff]/g, (octet) => CODE_PAGE_437[octet.charCodeAt(0) - 0x80] ?? '?')
  }
}

export function damaged(message: string): SigningError {
  return new SigningError('signing/container-damaged', message)
}

/** its characters from 0x80 on */
const CODE_PAGE_437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐' +
  '└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0'

const END_MARK = Buffer.from('504b0506', 'hex')
const END_BYTES = 22
const END64_BYTES = 56
const LOCATOR_BYTES = 20
const HEADER_BYTES = 46
const MAX_COMMENT_BYTES = 65_535
const MAX_ENTRIES = 10_000
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024
