/**
 * Fields that certificates, CRLs and OCSP answers have in common: the signed frame, extensions, bits and counts
 * (RFC 5280 §4.1, §4.2).
 */
import { TAG, children, childrenOf, decode, expect, readOid } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'

export interface Extension {
  readonly critical: boolean
  readonly value: Buffer
}

/** SIGNED { … } of X.509: what certificates, CRLs and the like have in common. */
export function splitSigned(der: Buffer): { tbs: Element; algorithm: Buffer; signature: Buffer } {
  const [tbs, algorithm, signature, ...more] = childrenOf(decode(der), TAG.sequence)
  if (more.length > 0) throw damaged('bytes follow a signature value')
  return {
    tbs: expect(tbs, TAG.sequence),
    algorithm: expect(algorithm, TAG.sequence).encoding,
    signature: readBits(signature),
  }
}

/** The octets of a BIT STRING. Some CAs count unused bits at the end of signature values; they are taken as written. */
export function readBits(element: Element | undefined): Buffer {
  const { content } = expect(element, TAG.bitString)
  if ((content[0] ?? 8) > 7) throw damaged('bad bit string')
  return content.subarray(1)
}

/** Extensions of certificates, CRLs, CRL entries and OCSP answers: SEQUENCE OF, inside its context tag. */
export function readExtensions(wrapper: Element | undefined): Map<string, Extension> {
  return wrapper === undefined ? new Map<string, Extension>() : readExtensionList(children(wrapper)[0])
}

/** The SEQUENCE OF Extension itself. */
export function readExtensionList(list: Element | undefined): Map<string, Extension> {
  const found = new Map<string, Extension>()
  for (const extension of childrenOf(list, TAG.sequence)) {
    const [id, second, third] = childrenOf(extension, TAG.sequence)
    const oid = readOid(id)
    // RFC 5280 §4.2: not more than one instance
    if (found.has(oid)) throw damaged('an extension appears twice')
    const critical = second?.tag === TAG.boolean && readBoolean(second)
    const value = second?.tag === TAG.boolean ? third : second
    found.set(oid, { critical, value: expect(value, TAG.octetString).content })
  }
  return found
}

export function readBoolean(element: Element): boolean {
  if (element.content.length !== 1) throw damaged('bad boolean')
  return element.content[0] !== 0
}

/** A small non-negative INTEGER; what exceeds 2^31 − 1 is read as that. */
export function readCount(content: Buffer): number {
  if (content.length === 0 || (content[0] ?? 0) >= 0x80) throw damaged('a count is negative')
  const value = BigInt(`0x${content.toString('hex')}`)
  return value > 0x7fffffffn ? 0x7fffffff : Number(value)
}

/** Named bits of a BIT STRING, first bit first. */
export function readNamedBits<T extends string>(content: Buffer, names: readonly T[]): Set<T> {
  return new Set(names.filter((_, bit) => ((content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0))
}

function damaged(message: string): SigningError {
  return new SigningError('signing/asn1-damaged', message)
}
