/**
 * Encrypted documents: the standard security handler, opened with a password (ISO 32000-2 §7.6).
 *
 * Strings and streams of an object are decrypted when it is read and encrypted when it is written. Never encrypted: the
 * /Contents of a signature, the encryption dictionary, what stands in a trailer or inside an object stream.
 */
import { SigningError } from '../../errors.ts'
import { stringBytes } from '../values.ts'
import type { PdfDictionary, PdfValue } from '../values.ts'
import type { Xref } from '../xref.ts'
import { decrypt, encrypt } from './ciphers.ts'
import type { Place } from './ciphers.ts'
import { readEncryptionDictionary } from './dictionary.ts'
import type { Cipher, EncryptionDictionary, Lookup } from './dictionary.ts'
import { openWithMd5 } from './keys-md5.ts'
import { openWithSha2, permissionsAreGenuine } from './keys-sha2.ts'

export interface Encryption {
  /** opened with the owner password, which allows everything */
  isOwner: boolean
  /** bits of /P (table 22); bit 1 is the lowest */
  permissions: number
  /** false: revision 5 or 6, and /P was changed by somebody without the key */
  permissionsAreGenuine: boolean
  /** A value of the object `of`, as it is meant; another value of the object stays as it is. */
  decryptValue(value: PdfValue, of: Place): PdfValue
  encryptValue(value: PdfValue, of: Place): PdfValue
  /** The data of a stream before its filters are undone. */
  decryptStream(stream: PdfDictionary, data: Buffer, of: Place): Buffer
  encryptStream(stream: PdfDictionary, data: Buffer, of: Place): Buffer
}

/**
 * @param document not decrypting anything yet
 * @param password of the user or the owner; empty for documents that everybody may open
 * @returns null: the document is not encrypted
 * @throws SigningError `signing/pdf-encrypted` a password is needed, is wrong, or would not help
 * @throws SigningError `signing/pdf-damaged`
 */
export async function openEncryption(
  document: Lookup,
  { sections }: Pick<Xref, 'sections'>,
  password: string,
): Promise<Encryption | null> {
  const { trailer } = sections[0]
  const entry = trailer.entries.get('Encrypt')
  const isEncrypted = sections.some((section) => section.trailer.entries.has('Encrypt'))
  if (!isEncrypted) return null
  if (entry === undefined) throw encrypted('an update of the encrypted document leaves out its encryption')
  const source = await readEncryptionDictionary(document, entry)
  const opened = openWithAny(source, firstId(trailer), password)
  if (opened === null) {
    throw encrypted(password === '' ? 'the document needs a password' : 'the password does not open the document')
  }
  return createEncryption(source, opened, entry.kind === 'reference' ? entry.number : null)
}

interface Opened {
  key: Buffer
  isOwner: boolean
}

/** Passwords are Unicode since revision 5; before, they were PDFDocEncoding, and some producers wrote UTF-8. */
function openWithAny(source: EncryptionDictionary, id: Buffer, password: string): Opened | null {
  // RFC 4013 SASLprep: compatible spelling, blanks are blanks
  const prepared = password
    .replace(/\u00ad/g, '')
    .replace(/\p{Zs}/gu, ' ')
    .normalize('NFKC')
  if (source.revision >= 5) return openWithSha2(source, Buffer.from(prepared, 'utf8'))
  const isLatin = /^[\0-\xff]*$/.test(password)
  const opened = isLatin ? openWithMd5(source, id, Buffer.from(password, 'latin1')) : null
  return opened ?? openWithMd5(source, id, Buffer.from(password, 'utf8'))
}

function firstId(trailer: PdfDictionary): Buffer {
  const id = trailer.entries.get('ID')
  const first = id?.kind === 'array' ? id.items[0] : undefined
  return first?.kind === 'string' ? stringBytes(first.raw) : Buffer.alloc(0)
}

function createEncryption(source: EncryptionDictionary, { key, isOwner }: Opened, own: number | null): Encryption {
  const stringOf = (change: typeof decrypt, of: Place) => (raw: string) =>
    change(source.strings, key, of, stringBytes(raw)).toString('hex')
  const value = (change: typeof decrypt) => (from: PdfValue, of: Place) =>
    of.number === own || source.strings === 'none' ? from : withStrings(from, stringOf(change, of))
  const stream = (change: typeof decrypt) => (dictionary: PdfDictionary, data: Buffer, of: Place) =>
    change(cipherOf(source, dictionary), key, of, data)
  return {
    isOwner,
    permissions: source.permissions,
    permissionsAreGenuine: source.revision < 5 || permissionsAreGenuine(source, key),
    decryptValue: value(decrypt),
    encryptValue: value(encrypt),
    decryptStream: stream(decrypt),
    encryptStream: stream(encrypt),
  }
}

/** §7.5.8.2, §7.6.6.3: cross-references never; metadata as the document says; /Crypt names another filter. */
function cipherOf(source: EncryptionDictionary, stream: PdfDictionary): Cipher {
  const type = stream.entries.get('Type')
  const is = (name: string): boolean => type?.kind === 'name' && type.value === name
  if (is('XRef') || (is('Metadata') && source.version >= 4 && !source.encryptMetadata)) return 'none'
  const filter = first(stream.entries.get('Filter'))
  return filter?.kind === 'name' && filter.value === 'Crypt' ? namedCipher(source, stream) : source.streams
}

/** §7.4.10 */
function namedCipher(source: EncryptionDictionary, stream: PdfDictionary): Cipher {
  const parameters = first(stream.entries.get('DecodeParms'))
  const name = parameters?.kind === 'dictionary' ? parameters.entries.get('Name') : undefined
  const cipher = source.filters.get(name?.kind === 'name' ? name.value : 'Identity')
  if (cipher === undefined) throw encrypted('a stream is encrypted in a way that the document does not explain')
  return cipher
}

function first(value: PdfValue | undefined): PdfValue | undefined {
  return value?.kind === 'array' ? value.items[0] : value
}

function withStrings(value: PdfValue, change: (raw: string) => string): PdfValue {
  if (value.kind === 'string') return { kind: 'string', raw: `<${change(value.raw)}>` }
  if (value.kind === 'array') return { kind: 'array', items: value.items.map((item) => withStrings(item, change)) }
  if (value.kind !== 'dictionary') return value
  const stays = isSignature(value) ? 'Contents' : null
  const entries = [...value.entries].map(
    ([key, item]) => [key, key === stays ? item : withStrings(item, change)] as const,
  )
  return { kind: 'dictionary', entries: new Map(entries) }
}

/** §12.8.1 table 255: /Type may be left out; /ByteRange says that /Contents is what it is about. */
function isSignature({ entries }: PdfDictionary): boolean {
  const type = entries.get('Type')
  const isNamedOtherwise = type !== undefined && !(type.kind === 'name' && SIGNATURES.has(type.value))
  return entries.has('ByteRange') && !isNamedOtherwise
}

function encrypted(message: string): SigningError {
  return new SigningError('signing/pdf-encrypted', message)
}

const SIGNATURES = new Set(['Sig', 'DocTimeStamp'])
