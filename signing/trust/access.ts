/**
 * Where a certificate says that its issuer, its status and its revocation lists are (RFC 5280 §4.2.2.1, §4.2.1.13).
 *
 * Addresses are words of strangers: at most a few of each, http and https only; where they lead, http-client.ts checks.
 */
import { createHash } from 'node:crypto'
import * as der from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { EXTENSION } from './certificate.ts'
import type { Certificate } from './certificate.ts'
import { readDistributionPoints } from './extensions.ts'

export interface AccessPoints {
  ocsp: string[]
  issuers: string[]
  crls: string[]
}

/** Addresses in `certificate`, at most four of each kind; none where an extension cannot be read. */
export function accessPoints(certificate: Certificate): AccessPoints {
  const methods = readable(() => accessDescriptions(certificate))
  const points = readable(() => readDistributionPoints(certificate))
  const names = points.flatMap(({ fullNames }) => fullNames ?? [])
  return {
    ocsp: few(methods.filter(({ method }) => method === METHOD.ocsp).map(({ url }) => url)),
    issuers: few(methods.filter(({ method }) => method === METHOD.issuers).map(({ url }) => url)),
    crls: few(names.flatMap((name) => (name.kind === 'uri' ? [name.text] : []))),
  }
}

/** An OCSPRequest for one certificate (RFC 6960 §4.1.1); SHA-1 names it, because responders index by that. */
export function ocspRequest(certificate: Certificate, issuer: Certificate, nonce: Buffer): Buffer {
  const sha1 = (bytes: Buffer): Buffer => der.octetString(createHash('sha1').update(bytes).digest())
  const [, key] = der.childrenOf(der.decode(issuer.spki), der.TAG.sequence)
  const id = der.sequence(
    der.sequence(der.oid('1.3.14.3.2.26'), der.derNull()),
    sha1(certificate.issuer.der),
    sha1(der.expect(key, der.TAG.bitString).content.subarray(1)),
    der.encode(der.TAG.integer, certificate.serial),
  )
  const extension = der.sequence(der.oid('1.3.6.1.5.5.7.48.1.2'), der.octetString(der.octetString(nonce)))
  return der.sequence(der.sequence(der.sequence(der.sequence(id)), der.encode(0xa2, der.sequence(extension))))
}

function accessDescriptions(certificate: Certificate): { method: string; url: string }[] {
  const extension = certificate.extensions.get(EXTENSION.authorityInformationAccess)
  if (extension === undefined) return []
  return der.childrenOf(der.decode(extension.value), der.TAG.sequence).flatMap((description) => {
    const [method, location] = der.childrenOf(description, der.TAG.sequence)
    return location?.tag === URI ? [{ method: der.readOid(method), url: location.content.toString('latin1') }] : []
  })
}

function readable<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read()
  } catch (error) {
    if (error instanceof SigningError) return []
    throw error
  }
}

const few = (urls: readonly string[]): string[] =>
  [...new Set(urls)].filter((url) => /^https?:\/\//i.test(url)).slice(0, 4)

const METHOD = { ocsp: '1.3.6.1.5.5.7.48.1', issuers: '1.3.6.1.5.5.7.48.2' } as const
const URI = 0x86
