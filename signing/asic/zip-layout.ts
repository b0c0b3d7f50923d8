/**
 * Where the entries of a ZIP archive lie, and whether their local headers say what the directory says (APPNOTE 6.3.10
 * §4.3.7, §4.3.9). Readers that go from the front and readers that go by the directory must see the same.
 */
import type { RandomAccess } from '../random-access.ts'
import { readExtraFields } from './zip-directory.ts'
import type { ZipDirectory, ZipEntry } from './zip-directory.ts'

export interface ZipProblem {
  /**
   * - `contradiction`: two readers can see two different archives; nothing in it is believed
   * - `oddity`: something that no reader uses
   */
  kind: 'contradiction' | 'oddity'
  detail: string
}

export interface ZipLayout {
  /** where the packed bytes of each entry begin, in the order of the directory */
  dataOffsets: number[]
  problems: ZipProblem[]
}

/** Compares all local headers with the directory; never throws for what is in them. */
export async function readLayout(source: RandomAccess, { entries, start }: ZipDirectory): Promise<ZipLayout> {
  const problems: ZipProblem[] = []
  const dataOffsets = new Map<ZipEntry, number>()
  let expected = 0
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    const local = await readLocal(source, entry, start)
    if (local === null) {
      problems.push(contradiction(`${entry.name}: no local header`))
      continue
    }
    problems.push(
      ...local.differences.map((what) => contradiction(`${entry.name}: the local header has another ${what}`)),
    )
    if (entry.offset < expected) problems.push(contradiction(`${entry.name}: overlaps with another entry`))
    if (entry.offset > expected) problems.push(gap(expected, entry.offset))
    dataOffsets.set(entry, local.dataOffset)
    expected = local.dataOffset + entry.packedBytes + (await descriptorBytes(source, entry, local.dataOffset, start))
    if (expected > start) problems.push(contradiction(`${entry.name}: reaches into the directory`))
  }
  if (expected < start) problems.push(gap(expected, start))
  return { dataOffsets: entries.map((entry) => dataOffsets.get(entry) ?? 0), problems }
}

interface LocalHeader {
  dataOffset: number
  /** fields that differ from the directory */
  differences: string[]
}

async function readLocal(source: RandomAccess, entry: ZipEntry, limit: number): Promise<LocalHeader | null> {
  if (entry.offset + LOCAL_BYTES > limit) return null
  const header = await source.read(entry.offset, LOCAL_BYTES)
  if (header.readUInt32LE(0) !== 0x04034b50) return null
  const nameBytes = header.readUInt16LE(26)
  const extraBytes = header.readUInt16LE(28)
  const dataOffset = entry.offset + LOCAL_BYTES + nameBytes + extraBytes
  if (dataOffset > limit) return null
  const rest = await source.read(entry.offset + LOCAL_BYTES, nameBytes + extraBytes)
  const extra = readExtraFields(rest.subarray(nameBytes))
  const differences: string[] = []
  if (!rest.subarray(0, nameBytes).equals(entry.rawName)) differences.push('name')
  const unicode = extra.get(0x7075)?.subarray(5)
  if (unicode !== undefined && !unicode.equals(entry.rawName)) differences.push('Unicode name')
  if (header.readUInt16LE(8) !== entry.method) differences.push('method')
  if (((header.readUInt16LE(6) ^ entry.flags) & COMPARED_FLAGS) !== 0) differences.push('flag')
  differences.push(...sizeDifferences(header, entry, extra.get(0x0001)))
  return { dataOffset, differences }
}

/** With a descriptor behind the data (bit 3) the fields before it may be zero (§4.4.4). */
function sizeDifferences(header: Buffer, entry: ZipEntry, wide: Buffer | undefined): string[] {
  const isLater = (entry.flags & DESCRIPTOR_FLAG) !== 0
  const fields = [
    { name: 'checksum', local: header.readUInt32LE(14), central: entry.crc32 },
    { name: 'size', local: wideNumber(header.readUInt32LE(22), wide, 0), central: entry.size },
    { name: 'packed size', local: wideNumber(header.readUInt32LE(18), wide, 8), central: entry.packedBytes },
  ]
  return fields.flatMap(({ name, local, central }) => (local === central || (isLater && local === 0) ? [] : [name]))
}

function wideNumber(value: number, wide: Buffer | undefined, at: number): number {
  return value === 0xffffffff && wide !== undefined && wide.length >= at + 8 ? Number(wide.readBigUInt64LE(at)) : value
}

/** Length of the descriptor that agrees with the directory; 0 when there is none (§4.3.9). */
async function descriptorBytes(
  source: RandomAccess,
  entry: ZipEntry,
  dataOffset: number,
  limit: number,
): Promise<number> {
  if ((entry.flags & DESCRIPTOR_FLAG) === 0) return 0
  const at = dataOffset + entry.packedBytes
  const bytes = await source.read(at, Math.max(0, Math.min(24, limit - at)))
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(entry.crc32)
  const narrow = Buffer.alloc(8)
  narrow.writeUInt32LE(entry.packedBytes % 2 ** 32, 0)
  narrow.writeUInt32LE(entry.size % 2 ** 32, 4)
  const wide = Buffer.alloc(16)
  wide.writeBigUInt64LE(BigInt(entry.packedBytes), 0)
  wide.writeBigUInt64LE(BigInt(entry.size), 8)
  const forms = [wide, narrow].flatMap((sizes) => [
    Buffer.concat([DESCRIPTOR_MARK, crc, sizes]),
    Buffer.concat([crc, sizes]),
  ])
  return forms.find((form) => bytes.subarray(0, form.length).equals(form))?.length ?? 0
}

const contradiction = (detail: string): ZipProblem => ({ kind: 'contradiction', detail })
const gap = (from: number, to: number): ZipProblem => ({
  kind: 'oddity',
  detail: `${to - from} bytes at ${from} belong to no entry`,
})

const LOCAL_BYTES = 30
const DESCRIPTOR_FLAG = 0x0008
const DESCRIPTOR_MARK = Buffer.from('504b0708', 'hex')
/** encryption, descriptor, patched data, strong encryption, UTF-8 */
const COMPARED_FLAGS = 0x0001 | 0x0008 | 0x0020 | 0x0040 | 0x0800
