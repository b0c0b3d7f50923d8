/**
 * The encryption dictionary of the standard security handler (ISO 32000-2 §7.6.4, table 21): bytes to fields.
 */
import { SigningError } from '../../errors.ts'
import type { Budget } from '../budget.ts'
import { damaged, stringBytes, wholeNumber } from '../values.ts'
import type { PdfDictionary, PdfValue } from '../values.ts'

export interface EncryptionDictionary {
  /** 1, 2: RC4 for everything; 4, 5: crypt filters say */
  version: 1 | 2 | 4 | 5
  revision: 2 | 3 | 4 | 5 | 6
  /** of the file key */
  keyBytes: number
  owner: Buffer
  user: Buffer
  /** only revisions 5 and 6 */
  ownerKey: Buffer
  userKey: Buffer
  sealedPermissions: Buffer
  /** /P as a signed number of 32 bits: what is allowed without the owner password (§7.6.4.2 table 22) */
  permissions: number
  encryptMetadata: boolean
  /** what strings and streams are encrypted with, when nothing else is said */
  strings: Cipher
  streams: Cipher
  /** by name, for streams that name their own */
  filters: ReadonlyMap<string, Cipher>
}

/** The document as its encryption needs it: nothing is decrypted yet. */
export interface Lookup {
  budget: Budget
  resolve(value: PdfValue | undefined): Promise<PdfValue>
  dictionary(value: PdfValue | undefined, what: string): Promise<PdfDictionary>
}

export type Cipher = 'none' | 'rc4' | 'aes128' | 'aes256'

/**
 * @throws SigningError `signing/pdf-encrypted` another handler (public key), or a version that nobody published
 * @throws SigningError `signing/pdf-damaged`
 */
export async function readEncryptionDictionary(document: Lookup, entry: PdfValue): Promise<EncryptionDictionary> {
  const source = await document.dictionary(entry, 'the encryption dictionary')
  const field = (key: string): Promise<PdfValue> => document.resolve(source.entries.get(key))
  const handler = await field('Filter')
  if (handler.kind !== 'name' || handler.value !== 'Standard') {
    throw unsupported('the document is encrypted for certificates or by a foreign handler, not with a password')
  }
  const version = await known(field('V'), [1, 2, 4, 5] as const)
  const revision = await known(field('R'), [2, 3, 4, 5, 6] as const)
  if ((version === 5) !== revision >= 5) throw damaged('version and revision of the encryption do not go together')
  const length = wholeNumber(await field('Length')) ?? 40
  const metadata = await field('EncryptMetadata')
  const bytes = async (key: string, wanted: number): Promise<Buffer> => {
    const value = await field(key)
    const found = value.kind === 'string' ? stringBytes(value.raw) : Buffer.alloc(0)
    if (found.length < wanted) throw damaged(`/${key} of the encryption dictionary is too short`)
    return found.subarray(0, wanted) // some producers pad
  }
  const isNew = revision >= 5
  return {
    version,
    revision,
    keyBytes: keyBytes(version, length),
    owner: await bytes('O', isNew ? 48 : 32),
    user: await bytes('U', isNew ? 48 : 32),
    ownerKey: isNew ? await bytes('OE', 32) : Buffer.alloc(0),
    userKey: isNew ? await bytes('UE', 32) : Buffer.alloc(0),
    sealedPermissions: isNew ? await bytes('Perms', 16) : Buffer.alloc(0),
    permissions: permissionBits(await field('P')),
    encryptMetadata: metadata.kind !== 'boolean' || metadata.value,
    ...(await readCiphers(document, source, version)),
  }
}

function keyBytes(version: EncryptionDictionary['version'], bits: number): number {
  if (version === 1) return 5
  if (version === 4) return 16
  if (version === 5) return 32
  if (bits % 8 !== 0 || bits < 40 || bits > 128) throw damaged('the encryption key has an impossible length')
  return bits / 8
}

async function known<T extends number>(value: Promise<PdfValue>, accepted: readonly T[]): Promise<T> {
  const wanted = wholeNumber(await value)
  const found = accepted.find((one) => one === wanted)
  if (found === undefined) throw unsupported('the document is encrypted in a way that is not in the standard')
  return found
}

/** Producers write /P as a signed or as an unsigned number. */
function permissionBits(value: PdfValue): number {
  if (value.kind !== 'number' || !/^[+-]?\d{1,10}$/.test(value.text)) throw damaged('/P is no number of 32 bits')
  return Number(value.text) | 0
}

type Ciphers = Pick<EncryptionDictionary, 'strings' | 'streams' | 'filters'>

/** §7.6.6 */
async function readCiphers(document: Lookup, source: PdfDictionary, version: number): Promise<Ciphers> {
  if (version < 4) return { strings: 'rc4', streams: 'rc4', filters: new Map() }
  const filters = new Map<string, Cipher>([['Identity', 'none']])
  const named = await document.resolve(source.entries.get('CF'))
  for (const [name, value] of named.kind === 'dictionary' ? named.entries : []) {
    document.budget.spendSteps(1)
    // §7.6.6.2: Identity is reserved
    if (name !== 'Identity') filters.set(name, await readMethod(document, value, version))
  }
  const chosen = async (key: string): Promise<Cipher> => {
    const value = await document.resolve(source.entries.get(key))
    const cipher = filters.get(value.kind === 'name' ? value.value : 'Identity')
    if (cipher === undefined) throw damaged(`/${key} names a crypt filter that does not exist`)
    return cipher
  }
  return { strings: await chosen('StrF'), streams: await chosen('StmF'), filters }
}

async function readMethod(document: Lookup, value: PdfValue, version: number): Promise<Cipher> {
  const filter = await document.dictionary(value, 'a crypt filter')
  const method = await document.resolve(filter.entries.get('CFM'))
  const methods: Partial<Record<string, Cipher>> =
    version === 5 ? { None: 'none', AESV3: 'aes256' } : { None: 'none', V2: 'rc4', AESV2: 'aes128' }
  const cipher = methods[method.kind === 'name' ? method.value : 'None']
  if (cipher === undefined) throw unsupported('the document is encrypted by a method that is not in the standard')
  return cipher
}

function unsupported(message: string): SigningError {
  return new SigningError('signing/pdf-encrypted', message)
}
