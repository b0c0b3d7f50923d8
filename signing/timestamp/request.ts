/**
 * Asking for a time-stamp (RFC 3161 §2.4.1, ETSI EN 319 422 §5).
 */
import * as der from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { digestOf, digestOid } from '../trust/algorithm-identifier.ts'

/** What a request may be made with; others are read in tokens, never asked for. */
export type TimestampDigest = 'sha256' | 'sha384' | 'sha512'

export interface TimestampRequest {
  /** DER of the TimeStampReq */
  readonly der: Buffer
  readonly imprint: Imprint
  /** content octets of the INTEGER; null: none was sent */
  readonly nonce: Buffer | null
  /** policy that was asked for, as object identifier; null: any */
  readonly policy: string | null
}

export interface Imprint {
  /** object identifier of the digest */
  readonly algorithm: string
  readonly value: Buffer
}

/**
 * A request for the time-stamp of something with this digest; the certificate of the authority is asked for.
 *
 * @param nonce 8 to 20 random bytes, new for each request
 */
export function timestampRequest(
  digest: TimestampDigest,
  value: Buffer,
  nonce: Buffer,
  policy: string | null = null,
): TimestampRequest {
  if (nonce.length < 8 || nonce.length > 20) throw damaged('a nonce has 8 to 20 bytes')
  const number = der.unsignedInteger(nonce)
  const algorithm = digestOid(digest)
  const encoded = der.sequence(
    der.integer(1),
    der.sequence(der.sequence(der.oid(algorithm)), der.octetString(value)),
    ...(policy === null ? [] : [der.oid(policy)]),
    number,
    der.derTrue(), // certReq
  )
  return { der: encoded, imprint: { algorithm, value }, nonce: der.decode(number).content, policy }
}

/**
 * Reads a request: what a time-stamping authority gets.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function parseTimestampRequest(bytes: Buffer): TimestampRequest & { wantsCertificate: boolean } {
  const [version, imprint, ...rest] = der.childrenOf(der.decode(bytes), der.TAG.sequence)
  if (der.expect(version, der.TAG.integer).content[0] !== 1) throw damaged('a time-stamp request of another version')
  const policy = rest[0]?.tag === der.TAG.oid ? der.readOid(rest.shift()) : null
  const nonce = rest[0]?.tag === der.TAG.integer ? (rest.shift()?.content ?? null) : null
  const wantsCertificate = rest[0]?.tag === der.TAG.boolean && rest[0].content[0] !== 0
  return { der: bytes, imprint: readImprint(imprint), nonce, policy, wantsCertificate }
}

/** MessageImprint; the digest must be as long as its algorithm says, where that is known. */
export function readImprint(element: der.Element | undefined): Imprint {
  const [algorithm, value] = der.childrenOf(element, der.TAG.sequence)
  const oid = der.readOid(der.childrenOf(algorithm, der.TAG.sequence)[0])
  const bytes = der.expect(value, der.TAG.octetString).content
  const digest = digestOf(oid)
  const expected = digest === null ? undefined : DIGEST_BYTES[digest]
  if (expected !== undefined && bytes.length !== expected) throw damaged('a message imprint has the wrong length')
  return { algorithm: oid, value: bytes }
}

function damaged(message: string): SigningError {
  return new SigningError('signing/asn1-damaged', message)
}

const DIGEST_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }
