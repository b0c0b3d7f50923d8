/**
 * What kind of file this is, for a court: told by its first bytes, and by its name only where bytes say nothing.
 */
import { EXECUTABLE_ENDINGS, SIGNATURE_ENDINGS, nameEnding } from '../../policies/index.ts'
import { readDirectory } from '../asic/zip-directory.ts'
import { readSignedData } from '../cms/container.ts'
import { ID_TST_INFO } from '../cms/oids.ts'
import { SigningError, readOrNull } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import { detectKind } from '../validation/detect.ts'
import type { DocumentKind } from '../validation/detect.ts'

/**
 * - `signature`: by its name a signature beside a document · `enveloping`: a signature with its content inside
 * - `archive`: other files in one · `office`: a document of an office program · `other`: nothing that courts know
 */
export type FileKind =
  'pdf' | 'tiff' | 'signature' | 'enveloping' | 'archive' | 'office' | 'executable' | 'xml' | 'empty' | 'other'

/** @throws SigningError `signing/source-changed` */
export async function kindOf(name: string, source: RandomAccess): Promise<FileKind> {
  if (source.size === 0) return 'empty'
  const head = await source.read(0, Math.min(source.size, HEAD_BYTES))
  if (EXECUTABLE_STARTS.some((start) => startsWith(head, start))) return 'executable'
  const ending = nameEnding(name)
  const kind = await detectKind(source)
  const signature = await signatureKind(source, kind, ending)
  if (signature !== null) return signature
  const isProgram = EXECUTABLE_ENDINGS.has(ending)
  if (kind === 'zip') return isProgram ? 'executable' : (await isOffice(source)) ? 'office' : 'archive'
  if (kind === 'pdf') return 'pdf'
  return byStart(head) ?? (isProgram ? 'executable' : kind === 'xml' ? 'xml' : 'other')
}

function byStart(head: Buffer): FileKind | null {
  if (ARCHIVE_STARTS.some((start) => startsWith(head, start)) || isTar(head)) return 'archive'
  if (TIFF_STARTS.some((start) => startsWith(head, start))) return 'tiff'
  return startsWith(head, OLD_OFFICE_START) ? 'office' : null
}

/** Null: it is no signature, neither by name nor by what is inside. */
async function signatureKind(source: RandomAccess, kind: DocumentKind, ending: string): Promise<FileKind | null> {
  const inside = kind === 'cms' ? await contentInside(source) : null
  if (inside === 'content') return 'enveloping'
  return inside === 'nothing' || SIGNATURE_ENDINGS.has(ending) ? 'signature' : null
}

/** Null: this is no signature. */
async function contentInside(source: RandomAccess): Promise<'content' | 'nothing' | null> {
  if (source.size > MAX_SIGNATURE_BYTES) return null
  const bytes = await source.read(0, source.size)
  const parts = readOrNull(() => readSignedData(bytes))
  if (parts === null || parts.contentType === ID_TST_INFO) return null
  return parts.content === null ? 'nothing' : 'content'
}

/** OOXML and ODF are archives with a table of contents that no other archive has. */
async function isOffice(source: RandomAccess): Promise<boolean> {
  try {
    const { entries } = await readDirectory(source)
    const names = new Set(entries.map(({ name }) => name))
    return names.has('[Content_Types].xml') || (names.has('content.xml') && names.has('META-INF/manifest.xml'))
  } catch (error) {
    if (error instanceof SigningError && error.code === 'signing/container-damaged') return false
    throw error
  }
}

const startsWith = (head: Buffer, start: string): boolean => head.toString('latin1', 0, start.length) === start
const isTar = (head: Buffer): boolean => head.toString('latin1', 257, 262) === 'ustar'

/** Windows, ELF, Mach-O (both orders, 32 and 64 bit, several), scripts, shortcuts */
const EXECUTABLE_STARTS = [
  'MZ',
  '\x7fELF',
  '\xfe\xed\xfa\xce',
  '\xfe\xed\xfa\xcf',
  '\xce\xfa\xed\xfe',
  '\xcf\xfa\xed\xfe',
  '\xca\xfe\xba\xbe',
  '#!',
  'L\0\0\0\x01\x14\x02\0',
]
/** gzip, bzip2, xz, 7z, RAR, Zstandard, LZ4, cabinet, ar */
const ARCHIVE_STARTS = [
  '\x1f\x8b',
  'BZh',
  '\xfd7zXZ\0',
  "7z\xbc\xaf'\x1c",
  'Rar!\x1a\x07',
  '(\xb5/\xfd',
  '\x04"M\x18',
  'MSCF',
  '!<arch>\n',
]
const OLD_OFFICE_START = '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'
const TIFF_STARTS = ['II*\0', 'MM\0*']
const HEAD_BYTES = 512
const MAX_SIGNATURE_BYTES = 64 * 1024 * 1024
