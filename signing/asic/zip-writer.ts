/**
 * Writes ZIP archives (APPNOTE 6.3.10): no descriptors, no extra fields but ZIP64 where a number does not fit.
 *
 * Nothing is packed: documents are mostly packed already, and what is stored can be read at any place. The archive is a
 * view over its parts and takes no memory of its own.
 */

import { crc32 } from 'node:zlib'
import { bufferAccess, joinedAccess } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'

export interface ZipPart {
  name: string
  /** 0 stored, 8 deflated */
  method: number
  /** of the content */
  crc32: number
  /** bytes of the content */
  size: number
  /** as it lies in the archive */
  packed: RandomAccess
}

/** A small file that is in memory. */
export function memoryPart(name: string, bytes: Buffer): ZipPart {
  return { name, method: 0, crc32: crc32(bytes), size: bytes.length, packed: bufferAccess(bytes) }
}

/** @param modified shown for every entry, in UTC; before 1980 there is no time */
export function zipArchive(parts: readonly ZipPart[], modified: Date): RandomAccess {
  const time = dosTime(modified)
  const segments: RandomAccess[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const part of parts) {
    const header = localHeader(part, time)
    segments.push(bufferAccess(header), part.packed)
    directory.push(directoryHeader(part, time, offset))
    offset += header.length + part.packed.size
  }
  const entries = Buffer.concat(directory)
  const end = endRecords(parts.length, entries.length, offset)
  return joinedAccess([...segments, bufferAccess(Buffer.concat([entries, end]))])
}

function localHeader(part: ZipPart, time: number): Buffer {
  const { name, wide, fixed } = common(part, time, [part.size, part.packed.size])
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  fixed.copy(header, 4)
  header.writeUInt16LE(wide.length, 28)
  return Buffer.concat([header, name, wide])
}

function directoryHeader(part: ZipPart, time: number, offset: number): Buffer {
  const { name, wide, fixed } = common(part, time, [part.size, part.packed.size, offset])
  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(VERSION, 4)
  fixed.copy(header, 6)
  header.writeUInt16LE(wide.length, 30)
  header.writeUInt32LE(Math.min(offset, LARGEST), 42)
  return Buffer.concat([header, name, wide])
}

/** The fields that both headers have, from the version needed to the length of the name. */
function common(
  part: ZipPart,
  time: number,
  numbers: readonly number[],
): { name: Buffer; wide: Buffer; fixed: Buffer } {
  const name = Buffer.from(part.name, 'utf8')
  const large = part.size >= LARGEST || part.packed.size >= LARGEST
  // in a local header both sizes stand in the extra field, or none (§4.5.3)
  const listed = numbers.filter((number, index) => number >= LARGEST || (large && index < 2))
  const fixed = Buffer.alloc(24)
  fixed.writeUInt16LE(listed.length > 0 ? VERSION : 20, 0)
  fixed.writeUInt16LE(name.length === part.name.length ? 0 : UTF8_FLAG, 2)
  fixed.writeUInt16LE(part.method, 4)
  fixed.writeUInt32LE(time, 6)
  fixed.writeUInt32LE(part.crc32, 10)
  fixed.writeUInt32LE(large ? LARGEST : part.packed.size, 14)
  fixed.writeUInt32LE(large ? LARGEST : part.size, 18)
  fixed.writeUInt16LE(name.length, 22)
  return { name, wide: zip64Field(listed), fixed }
}

function zip64Field(numbers: readonly number[]): Buffer {
  if (numbers.length === 0) return Buffer.alloc(0)
  const field = Buffer.alloc(4 + 8 * numbers.length)
  field.writeUInt16LE(0x0001, 0)
  field.writeUInt16LE(8 * numbers.length, 2)
  for (const [index, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + 8 * index)
  return field
}

function endRecords(count: number, bytes: number, offset: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(count, 0xffff), 8)
  end.writeUInt16LE(Math.min(count, 0xffff), 10)
  end.writeUInt32LE(Math.min(bytes, LARGEST), 12)
  end.writeUInt32LE(Math.min(offset, LARGEST), 16)
  return count >= 0xffff || offset >= LARGEST ? Buffer.concat([zip64Records(count, bytes, offset), end]) : end
}

/** §4.3.14, §4.3.15 */
function zip64Records(count: number, bytes: number, offset: number): Buffer {
  const record = Buffer.alloc(56)
  record.writeUInt32LE(0x06064b50, 0)
  record.writeBigUInt64LE(44n, 4)
  record.writeUInt16LE(VERSION, 12)
  record.writeUInt16LE(VERSION, 14)
  record.writeBigUInt64LE(BigInt(count), 24)
  record.writeBigUInt64LE(BigInt(count), 32)
  record.writeBigUInt64LE(BigInt(bytes), 40)
  record.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([record, locator])
}

/** Date in the upper half, time in steps of two seconds in the lower (§4.4.6). */
function dosTime(at: Date): number {
  const year = at.getUTCFullYear()
  if (year < 1980 || year > 2107) return (1 << 21) | (1 << 16)
  const date = ((year - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate()
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1)
  return ((date << 16) | time) >>> 0
}

const LARGEST = 0xffffffff
/** 4.5: ZIP64 */
const VERSION = 45
const UTF8_FLAG = 0x0800
