/** ZIP archives with a defect at a chosen place, written byte by byte. */
import { crc32, deflateRawSync } from 'node:zlib'

export interface RawEntry {
  name: string | Buffer
  content?: Buffer | string
  deflate?: boolean
  flags?: number
  method?: number
  /** what the local header says instead */
  local?: { name?: string; crc?: number; size?: number; packed?: number; method?: number; extra?: Buffer }
  /** what the directory says instead */
  central?: { crc?: number; size?: number; packed?: number; offset?: number; extra?: Buffer; comment?: string }
  /** bytes behind the packed content that its size counts */
  tail?: Buffer
  /** bytes before the local header */
  before?: Buffer
}

export interface RawArchive {
  entries: readonly RawEntry[]
  comment?: Buffer
  /** bytes between the last entry and the directory */
  gap?: Buffer
  count?: number
}

export function rawZip({ entries, comment = NOTHING, gap = NOTHING, count = entries.length }: RawArchive): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const entry of entries) {
    const { before = NOTHING } = entry
    const packed = pack(entry)
    const local = localPart(entry, packed)
    parts.push(before, local)
    directory.push(directoryPart(entry, packed, at + before.length))
    at += before.length + local.length
  }
  const rows = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(rows.length, 12)
  end.writeUInt32LE(at + gap.length, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...parts, gap, rows, end, comment])
}

interface Packed {
  bytes: Buffer
  fields: { crc: number; size: number; packed: number; method: number; flags: number }
}

function pack({
  content: given = '',
  deflate = false,
  method = deflate ? 8 : 0,
  flags = 0,
  tail = NOTHING,
}: RawEntry): Packed {
  const content = Buffer.from(given)
  const bytes = Buffer.concat([method === 8 ? deflateRawSync(content) : content, tail])
  return { bytes, fields: { crc: crc32(content), size: content.length, packed: bytes.length, method, flags } }
}

function localPart({ name, local = {} }: RawEntry, { bytes, fields }: Packed): Buffer {
  const shown = Buffer.from(local.name ?? name)
  const extra = local.extra ?? NOTHING
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  writeFields(header, 4, { ...fields, ...local })
  header.writeUInt16LE(shown.length, 26)
  header.writeUInt16LE(extra.length, 28)
  return Buffer.concat([header, shown, extra, bytes])
}

function directoryPart({ name, central = {} }: RawEntry, { fields }: Packed, offset: number): Buffer {
  const { comment = '', offset: shown = offset, extra = NOTHING, ...numbers } = central
  const row = Buffer.alloc(46)
  row.writeUInt32LE(0x02014b50, 0)
  row.writeUInt16LE(20, 4)
  writeFields(row, 6, { ...fields, ...numbers })
  row.writeUInt16LE(Buffer.byteLength(name), 28)
  row.writeUInt16LE(extra.length, 30)
  row.writeUInt16LE(Buffer.byteLength(comment), 32)
  row.writeUInt32LE(shown, 42)
  return Buffer.concat([row, Buffer.from(name), extra, Buffer.from(comment)])
}

const NOTHING = Buffer.alloc(0)

function writeFields(
  header: Buffer,
  at: number,
  { crc, size, packed, method, flags }: { crc: number; size: number; packed: number; method: number; flags: number },
): void {
  header.writeUInt16LE(20, at)
  header.writeUInt16LE(flags, at + 2)
  header.writeUInt16LE(method, at + 4)
  header.writeUInt32LE(crc, at + 10)
  header.writeUInt32LE(packed, at + 14)
  header.writeUInt32LE(size, at + 18)
}
