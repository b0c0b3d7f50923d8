/** What the servers of the test authority answer: time-stamps, OCSP answers, CRLs. Written apart from the product. */
import { createHash, sign } from 'node:crypto'
import * as der from '../../asn1/der.ts'
import { parseTimestampRequest } from '../../timestamp/request.ts'
import type { TimestampRequest } from '../../timestamp/request.ts'
import { extension, generalizedTime, signatureAlgorithm, signed } from './test-certificates.ts'
import type { Holder } from './test-certificates.ts'

export interface Revoked {
  serial: Buffer
  at: Date
}

/** `wrong-nonce` and `wrong-imprint` answer with other values than asked. */
export type TsaMood = 'ok' | 'refuse' | 'wrong-nonce' | 'wrong-imprint' | 'http-500' | 'silent'

export function timestampAnswer(body: Buffer, tsa: Holder, now: Date, mood: TsaMood): Buffer {
  if (mood === 'refuse') return der.sequence(der.sequence(der.integer(2)))
  const request = parseTimestampRequest(body)
  const info = timestampInfo(request, now, mood)
  return der.sequence(der.sequence(der.integer(0)), timestampToken(info, tsa, request.wantsCertificate))
}

function timestampInfo({ imprint, nonce, policy }: TimestampRequest, now: Date, mood: TsaMood): Buffer {
  const value = mood === 'wrong-imprint' ? createHash('sha256').update(imprint.value).digest() : imprint.value
  const answered = mood === 'wrong-nonce' ? Buffer.from('0102030405060708', 'hex') : nonce
  return der.sequence(
    der.integer(1),
    der.oid(policy ?? '2.999.1'),
    der.sequence(der.sequence(der.oid(imprint.algorithm)), der.octetString(value)),
    der.integer(Math.floor(Math.random() * 2 ** 40)),
    generalizedTime(now),
    der.sequence(der.integer(1)), // accurate to a second
    ...(answered === null ? [] : [der.encode(der.TAG.integer, answered)]),
  )
}

/** A SignedData over TSTInfo; the certificate reference is an ESSCertIDv2 (RFC 5816). */
function timestampToken(info: Buffer, tsa: Holder, withCertificate: boolean): Buffer {
  const hash = der.octetString(createHash('sha256').update(tsa.certificate).digest())
  const attribute = (type: string, value: Buffer): Buffer => der.sequence(der.oid(type), der.setOf(value))
  const attributes = der.setOf(
    attribute('1.2.840.113549.1.9.3', der.oid('1.2.840.113549.1.9.16.1.4')),
    attribute('1.2.840.113549.1.9.4', der.octetString(createHash('sha256').update(info).digest())),
    attribute('1.2.840.113549.1.9.16.2.47', der.sequence(der.sequence(der.sequence(hash)))),
  )
  const implicit = Buffer.from(attributes)
  implicit[0] = 0xa0
  const { issuer, serial } = issuerAndSerial(tsa.certificate)
  const signer = der.sequence(
    der.integer(1),
    der.sequence(issuer, serial),
    SHA256,
    implicit,
    signatureAlgorithm(tsa.key),
    der.octetString(sign('sha256', attributes, tsa.key)),
  )
  const content = der.sequence(der.oid('1.2.840.113549.1.9.16.1.4'), der.encode(0xa0, der.octetString(info)))
  const certificates = withCertificate ? [der.encode(0xa0, tsa.certificate)] : []
  const data = der.sequence(der.integer(3), der.setOf(SHA256), content, ...certificates, der.setOf(signer))
  return der.sequence(der.oid('1.2.840.113549.1.7.2'), der.encode(0xa0, data))
}

/** Answers for the first certificate asked about; `good` for everything that is not revoked. */
export function ocspAnswer(body: Buffer, responder: Holder, now: Date, revoked: readonly Revoked[]): Buffer {
  const [tbs] = der.childrenOf(der.decode(body), der.TAG.sequence)
  const fields = der.childrenOf(tbs, der.TAG.sequence)
  const list = fields.find(({ tag }) => tag === der.TAG.sequence)
  const [id] = der.childrenOf(der.childrenOf(list, der.TAG.sequence)[0], der.TAG.sequence)
  const serial = der.childrenOf(id, der.TAG.sequence)[3]?.content ?? Buffer.alloc(0)
  const hit = revoked.find((entry) => entry.serial.equals(serial))
  const status =
    hit === undefined ? der.encode(0x80, Buffer.alloc(0)) : der.encode(0xa1, generalizedTime(hit.at), REASON_KEY)
  const single = der.sequence(
    id?.encoding ?? Buffer.alloc(0),
    status,
    generalizedTime(now),
    der.encode(0xa0, generalizedTime(later(now))),
  )
  const nonce = fields.find(({ tag }) => tag === 0xa2)
  const data = der.sequence(
    der.encode(0xa1, responder.name),
    generalizedTime(now),
    der.sequence(single),
    ...(nonce === undefined ? [] : [der.encode(0xa1, nonce.content)]),
  )
  const basic = signed(data, responder.key, der.encode(0xa0, der.sequence(responder.certificate)))
  const bytes = der.sequence(der.oid('1.3.6.1.5.5.7.48.1.1'), der.octetString(basic))
  return der.sequence(der.encode(0x0a, Buffer.from([0])), der.encode(0xa0, bytes))
}

export function revocationList(issuer: Holder, now: Date, revoked: readonly Revoked[]): Buffer {
  const entries = revoked.map(({ serial, at }) => der.sequence(der.encode(der.TAG.integer, serial), der.time(at)))
  const tbs = der.sequence(
    der.integer(1),
    signatureAlgorithm(issuer.key),
    issuer.name,
    der.time(now),
    der.time(later(now)),
    ...(entries.length === 0 ? [] : [der.sequence(...entries)]),
    der.encode(0xa0, der.sequence(extension('2.5.29.20', der.integer(Math.floor(now.getTime() / 1000))))),
  )
  return signed(tbs, issuer.key)
}

export function issuerAndSerial(certificate: Buffer): { issuer: Buffer; serial: Buffer } {
  const [tbs] = der.childrenOf(der.decode(certificate), der.TAG.sequence)
  const [, serial, , issuer] = der.childrenOf(tbs, der.TAG.sequence)
  return { issuer: issuer?.encoding ?? Buffer.alloc(0), serial: serial?.encoding ?? Buffer.alloc(0) }
}

const later = (now: Date): Date => new Date(now.getTime() + 24 * 60 * 60 * 1000)
const SHA256 = der.sequence(der.oid('2.16.840.1.101.3.4.2.1'))
/** CRLReason keyCompromise */
const REASON_KEY = der.encode(0xa0, der.encode(0x0a, Buffer.from([1])))
