/**
 * What kind of document these bytes are, by what they are and not by their name; and whether something in them looks
 * like a signature when no reader understands them.
 */
import { createHash } from 'node:crypto'
import type { RandomAccess } from '../random-access.ts'

export type DocumentKind = 'pdf' | 'zip' | 'xml' | 'cms' | 'unknown'

/** A PDF may have up to a kilobyte before its header, as most viewers accept (ISO 32000-1, implementation note 13). */
export async function detectKind(source: RandomAccess): Promise<DocumentKind> {
  const head = await source.read(0, Math.min(source.size, HEAD_BYTES))
  if (ZIP_STARTS.some((start) => startsWith(head, start))) return 'zip'
  // every CMS object is a SEQUENCE; nothing else that is read here begins with this byte
  if (head[0] === 0x30) return 'cms'
  if (startsWith(head, Buffer.from('-----BEGIN '))) return 'cms'
  if (UTF_16.some((start) => startsWith(head, start)) || /^(?:\xef\xbb\xbf)?\s*</.test(head.toString('latin1')))
    return 'xml'
  return head.includes('%PDF-') ? 'pdf' : 'unknown'
}

export interface ByteFacts {
  /** of the whole document, lower-case hexadecimal */
  sha256: string
  /** parts of signatures lie in it, whatever they mean */
  looksSigned: boolean
}

/** One pass over all bytes; memory stays flat. */
export async function readBytes(source: RandomAccess): Promise<ByteFacts> {
  const hash = createHash('sha256')
  const seen = new Set<number>()
  let tail = Buffer.alloc(0)
  for (let position = 0; position < source.size; position += CHUNK_BYTES) {
    const chunk = await source.read(position, Math.min(CHUNK_BYTES, source.size - position))
    hash.update(chunk)
    const window = Buffer.concat([tail, chunk])
    for (const [index, mark] of MARKS.entries()) if (window.includes(mark)) seen.add(index)
    tail = window.subarray(-MARK_OVERLAP)
  }
  return { sha256: hash.digest('hex'), looksSigned: seen.size > 0 }
}

const startsWith = (bytes: Buffer, start: Buffer): boolean => bytes.subarray(0, start.length).equals(start)

const ZIP_STARTS = [Buffer.from('PK\x03\x04', 'latin1'), Buffer.from('PK\x05\x06', 'latin1')]
const UTF_16 = [Buffer.from('fffe', 'hex'), Buffer.from('feff', 'hex')]
/** a PDF signature dictionary, an XML signature, a CMS SignedData, signature files of a container */
const MARKS = [
  Buffer.from('/ByteRange'),
  Buffer.from('SignatureValue'),
  Buffer.from('06092a864886f70d010702', 'hex'),
  Buffer.from('META-INF/signature'),
  Buffer.from('META-INF/timestamp'),
]
const MARK_OVERLAP = 32
const HEAD_BYTES = 2048
const CHUNK_BYTES = 1024 * 1024
