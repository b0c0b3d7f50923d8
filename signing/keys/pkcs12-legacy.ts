/**
 * Reads older PKCS#12 files (3DES, RC2, BER encodings) with node-forge, which does all of its work on this thread. It takes
 * 10 MB of memory, and few files are so old: it is loaded when one comes.
 */
import type forge from 'node-forge'
import { SigningError } from '../errors.ts'
import { MAX_ITERATIONS } from './pkcs12-reader.ts'
import type { Bag, Bags } from './pkcs12-reader.ts'

/**
 * @throws SigningError `signing/bad-passphrase`, `signing/key-file-damaged`
 */
export async function readLegacyPkcs12(bytes: Buffer, passphrase: string): Promise<Bags> {
  const { default: library } = await import('node-forge')
  const structure = parse(library, bytes)
  checkRounds(structure)
  try {
    const file = library.pkcs12.pkcs12FromAsn1(structure, false, passphrase)
    const bags = file.safeContents.flatMap((safe) => safe.safeBags as OpenBag[])
    return {
      keys: bags.flatMap((bag) => keyOf(library, bag)),
      certificates: bags.flatMap((bag) => certificateOf(library, bag)),
    }
  } catch (cause) {
    const wrong = cause instanceof Error && /MAC could not be verified|Invalid password/.test(cause.message)
    if (wrong) throw new SigningError('signing/bad-passphrase', 'the passphrase does not open the key file', { cause })
    throw new SigningError('signing/key-file-damaged', 'the key file cannot be read', { cause })
  }
}

type Library = typeof forge

/** A bag that node-forge understood has `key` or `cert`; of any other kind (elliptic curves) it leaves `asn1`. */
interface OpenBag {
  type: string
  attributes?: { friendlyName?: string[] }
  key?: forge.pki.PrivateKey | null
  cert?: forge.pki.Certificate | null
  asn1?: forge.asn1.Asn1
}

function parse({ asn1 }: Library, bytes: Buffer): forge.asn1.Asn1 {
  try {
    return asn1.fromDer(bytes.toString('latin1'))
  } catch (cause) {
    throw new SigningError('signing/key-file-damaged', 'this is no PKCS#12 key file', { cause })
  }
}

/** Of the MAC (RFC 7292 §4); all else is computed only when that fits. */
function checkRounds({ value }: forge.asn1.Asn1): void {
  const macData = Array.isArray(value) ? value[2]?.value : undefined
  const count = Array.isArray(macData) ? macData[2]?.value : undefined
  if (typeof count !== 'string') return
  const bytes = Buffer.from(count, 'latin1')
  if (bytes.length <= 4 && (bytes.length === 0 || bytes.readUIntBE(0, bytes.length) <= MAX_ITERATIONS)) return
  throw new SigningError('signing/key-file-damaged', `the iteration count is not between 1 and ${MAX_ITERATIONS}`)
}

function keyOf(library: Library, bag: OpenBag): Bag[] {
  const { pki } = library
  if (bag.type !== pki.oids['keyBag'] && bag.type !== pki.oids['pkcs8ShroudedKeyBag']) return []
  if (bag.key !== undefined && bag.key !== null) {
    return [{ bytes: encoded(library, pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(bag.key))), alias: aliasOf(bag) }]
  }
  return bag.asn1 === undefined ? [] : [{ bytes: encoded(library, bag.asn1), alias: aliasOf(bag) }]
}

function certificateOf(library: Library, bag: OpenBag): Bag[] {
  const { pki } = library
  if (bag.type !== pki.oids['certBag']) return []
  const alias = aliasOf(bag)
  if (bag.cert !== undefined && bag.cert !== null) {
    return [{ bytes: encoded(library, pki.certificateToAsn1(bag.cert)), alias }]
  }
  return bag.asn1 === undefined ? [] : [{ bytes: encoded(library, bag.asn1), alias }]
}

function aliasOf({ attributes }: OpenBag): string {
  return attributes?.friendlyName?.[0] ?? ''
}

function encoded({ asn1 }: Library, structure: forge.asn1.Asn1): Buffer {
  return Buffer.from(asn1.toDer(structure).getBytes(), 'latin1')
}
