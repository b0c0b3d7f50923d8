/** A small certification authority for tests: certificates, CRLs and OCSP answers of every shape, right and wrong. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import {
  bitString,
  derTrue,
  encode,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  time,
  utf8String,
} from '../asn1/der.ts'
import { parseCertificate } from '../trust/certificate.ts'
import type { Certificate } from '../trust/certificate.ts'

export interface Holder {
  key: KeyObject
  spki: Buffer
  certificate: Certificate
}

export interface CertificateRequest {
  name: string
  issuer?: Holder
  serial?: number
  from?: string
  until?: string
  ca?: boolean
  extensions?: Buffer[]
  /** a holder whose key is used again */
  keyOf?: Holder
}

/** Issues a certificate; signed by itself when no issuer is given. */
export function issue(request: CertificateRequest): Holder {
  const { key, spki } = request.keyOf ?? makeKey()
  const { from = '2020-01-01', until = '2040-01-01', extensions = [], ca = false } = request
  const issuer = request.issuer?.certificate.subject.der ?? nameOf(request.name)
  const tbs = sequence(
    encode(0xa0, integer(2)),
    integer(request.serial ?? nextSerial++),
    ECDSA_SHA256,
    issuer,
    sequence(time(new Date(from)), time(new Date(until))),
    nameOf(request.name),
    spki,
    encode(0xa3, sequence(...(ca ? CA : []), ...extensions)),
  )
  const der = signed(tbs, request.issuer?.key ?? key)
  return { key, spki, certificate: parseCertificate(der) }
}

function makeKey(): Pick<Holder, 'key' | 'spki'> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { key: privateKey, spki: publicKey.export({ format: 'der', type: 'spki' }) }
}

export interface ListRequest {
  issuer: Holder
  entries?: { serial: Buffer; at: string; reason?: number; extensions?: Buffer[] }[]
  from?: string
  until?: string | null
  extensions?: Buffer[]
}

/** Issues a CRL. */
export function issueList({ issuer, entries = [], from = '2026-01-01', until, extensions = [] }: ListRequest): Buffer {
  const rows = entries.map(({ serial, at, reason, extensions: more = [] }) => {
    const all = [
      ...(reason === undefined ? [] : [extension('2.5.29.21', encode(0x0a, Buffer.from([reason])))]),
      ...more,
    ]
    return sequence(encode(0x02, serial), time(new Date(at)), ...(all.length === 0 ? [] : [sequence(...all)]))
  })
  const tbs = sequence(
    integer(1),
    ECDSA_SHA256,
    issuer.certificate.subject.der,
    time(new Date(from)),
    ...(until === null ? [] : [time(new Date(until ?? '2026-12-31'))]),
    ...(rows.length === 0 ? [] : [sequence(...rows)]),
    ...(extensions.length === 0 ? [] : [encode(0xa0, sequence(...extensions))]),
  )
  return signed(tbs, issuer.key)
}

export interface OcspRequest {
  signer: Holder
  certificate: Certificate
  issuer: Holder
  status?: 'good' | 'unknown' | { at: string; reason?: number }
  thisUpdate?: string
  nextUpdate?: string | null
  producedAt?: string
  digest?: 'sha1' | 'sha256'
  certificates?: Certificate[]
  byKey?: boolean
  singleExtensions?: Buffer[]
  extensions?: Buffer[]
  /** another serial than that of the certificate */
  serial?: Buffer
}

/** Signs an OCSP answer. */
export function answer(request: OcspRequest): Buffer {
  const { signer, certificates = [], extensions = [] } = request
  const keyHash = createHash('sha1').update(keyBits(signer.spki)).digest()
  const data = sequence(
    request.byKey === true ? encode(0xa2, octetString(keyHash)) : encode(0xa1, signer.certificate.subject.der),
    generalized(request.producedAt ?? request.thisUpdate ?? '2026-03-01'),
    sequence(singleAnswer(request)),
    ...(extensions.length === 0 ? [] : [encode(0xa1, sequence(...extensions))]),
  )
  const chain = certificates.length === 0 ? [] : [encode(0xa0, sequence(...certificates.map(({ der }) => der)))]
  const basic = sequence(data, ECDSA_SHA256, bitString(sign('sha256', data, signer.key)), ...chain)
  const bytes = sequence(oid('1.3.6.1.5.5.7.48.1.1'), octetString(basic))
  return sequence(encode(0x0a, Buffer.from([0])), encode(0xa0, bytes))
}

function singleAnswer(request: OcspRequest): Buffer {
  const { certificate, issuer, digest = 'sha1', status = 'good', nextUpdate, singleExtensions = [] } = request
  const hash = (bytes: Buffer): Buffer => octetString(createHash(digest).update(bytes).digest())
  const serial = encode(0x02, request.serial ?? certificate.serial)
  const algorithm = sequence(oid(digest === 'sha1' ? '1.3.14.3.2.26' : '2.16.840.1.101.3.4.2.1'))
  return sequence(
    sequence(algorithm, hash(issuer.certificate.subject.der), hash(keyBits(issuer.spki)), serial),
    statusOf(status),
    generalized(request.thisUpdate ?? '2026-03-01'),
    ...(nextUpdate === null ? [] : [encode(0xa0, generalized(nextUpdate ?? '2026-03-08'))]),
    ...(singleExtensions.length === 0 ? [] : [encode(0xa1, sequence(...singleExtensions))]),
  )
}

function statusOf(status: NonNullable<OcspRequest['status']>): Buffer {
  if (status === 'good') return encode(0x80, Buffer.alloc(0))
  if (status === 'unknown') return encode(0x82, Buffer.alloc(0))
  const reason = status.reason === undefined ? [] : [encode(0xa0, encode(0x0a, Buffer.from([status.reason])))]
  return encode(0xa1, generalized(status.at), ...reason)
}

/** One extension of a certificate, list or answer. */
export function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), octetString(value))
}

export function criticalExtension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), derTrue(), octetString(value))
}

export function extendedKeyUsage(...ids: string[]): Buffer {
  return extension('2.5.29.37', sequence(...ids.map(oid)))
}

/** `bits`: the first octet of the BIT STRING, keyCertSign is 4 and cRLSign is 2. */
export function keyUsage(bits: number): Buffer {
  return criticalExtension('2.5.29.15', bitString(Buffer.from([bits])))
}

/** A Name with a country and a common name. */
export function nameOf(commonName: string): Buffer {
  const part = (id: string, value: Buffer): Buffer => setOf(sequence(oid(id), value))
  return sequence(part('2.5.4.6', encode(0x13, Buffer.from('DE'))), part('2.5.4.3', utf8String(commonName)))
}

export const generalized = (at: string): Buffer =>
  encode(0x18, Buffer.from(new Date(at).toISOString().replace(/[-:T]|\.\d+/g, ''), 'latin1'))

const signed = (tbs: Buffer, key: KeyObject): Buffer => sequence(tbs, ECDSA_SHA256, bitString(sign('sha256', tbs, key)))

/** the uncompressed point of a P-256 key: the end of its SubjectPublicKeyInfo */
const keyBits = (spki: Buffer): Buffer => spki.subarray(-65)

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
const CA = [criticalExtension('2.5.29.19', sequence(derTrue())), keyUsage(0x06)]
let nextSerial = 1000
