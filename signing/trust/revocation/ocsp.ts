/**
 * OCSP answers (RFC 6960 §4.2): reading one. Who may sign it and whether it counts, ocsp-judgement.ts says.
 */
import { createHash } from 'node:crypto'
import { TAG, children, childrenOf, decode, expect, readOid } from '../../asn1/der.ts'
import type { Element } from '../../asn1/der.ts'
import { SigningError } from '../../errors.ts'
import { readBits, readExtensions } from '../fields.ts'
import type { Extension } from '../fields.ts'
import { digestOf } from '../algorithm-identifier.ts'
import type { Digest } from '../algorithm-identifier.ts'
import { parseName } from '../name.ts'
import type { Name } from '../name.ts'
import { readGeneralizedTime } from './time.ts'
import { reasonOf } from './verdict.ts'
import type { RevocationReason } from './verdict.ts'

export type OcspAnswer =
  { readonly kind: 'failed'; readonly status: OcspFailure } | ({ readonly kind: 'answered' } & OcspResponse)

export type OcspFailure = 'malformedRequest' | 'internalError' | 'tryLater' | 'sigRequired' | 'unauthorized' | 'unknown'

export interface OcspResponse {
  readonly der: Buffer
  readonly sha256: string
  readonly responder: { readonly name: Name | null; readonly keyHash: Buffer | null }
  readonly producedAt: Date
  readonly answers: readonly SingleAnswer[]
  readonly extensions: ReadonlyMap<string, Extension>
  readonly certificates: readonly Buffer[]
  readonly signatureAlgorithm: Buffer
  readonly tbs: Buffer
  readonly signature: Buffer
}

export interface SingleAnswer {
  readonly certificate: CertificateId
  readonly status:
    | { readonly kind: 'good' | 'unknown' }
    | { readonly kind: 'revoked'; readonly time: Date; readonly reason: RevocationReason }
  readonly thisUpdate: Date
  readonly nextUpdate: Date | null
  readonly extensions: ReadonlyMap<string, Extension>
}

/** CertID: how OCSP names a certificate. */
export interface CertificateId {
  /** null: an unknown algorithm; matches nothing */
  readonly digest: Digest | null
  readonly issuerNameHash: Buffer
  readonly issuerKeyHash: Buffer
  readonly serial: Buffer
}

/**
 * Reads an OCSPResponse, or the BasicOCSPResponse alone; the same buffer object gives the same object again.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function parseOcsp(der: Buffer): OcspAnswer {
  const known = parsed.get(der)
  if (known !== undefined) return known
  if (der.length > MAX_BYTES) throw damaged('an OCSP answer is too large')
  const answer = readAnswer(der)
  parsed.set(der, answer)
  return answer
}

const parsed = new WeakMap<Buffer, OcspAnswer>()

function readAnswer(der: Buffer): OcspAnswer {
  const outer = decode(der)
  const [status, wrapper] = childrenOf(outer, TAG.sequence)
  if (status?.tag !== ENUMERATED) return { kind: 'answered', ...readBasic(der, outer) }
  const code = status.content[0]
  if (code !== 0) return { kind: 'failed', status: FAILURES[code ?? 0] ?? 'unknown' }
  const [type, bytes] = childrenOf(wrapper === undefined ? undefined : children(wrapper)[0], TAG.sequence)
  if (readOid(type) !== BASIC_RESPONSE) throw damaged('an OCSP answer of an unknown type')
  return { kind: 'answered', ...readBasic(der, decode(expect(bytes, TAG.octetString).content)) }
}

function readBasic(der: Buffer, basic: Element): OcspResponse {
  const [data, algorithm, signature, certificates] = childrenOf(basic, TAG.sequence)
  const fields = childrenOf(data, TAG.sequence)
  if (fields[0]?.tag === 0xa0) fields.shift()
  const [responder, producedAt, answers, extensions] = fields
  const list = certificates === undefined ? undefined : children(expect(certificates, 0xa0))[0]
  return {
    der,
    sha256: createHash('sha256').update(der).digest('hex'),
    responder: readResponder(responder),
    producedAt: readGeneralizedTime(producedAt),
    answers: childrenOf(answers, TAG.sequence).map(readSingle),
    extensions: readExtensions(extensions),
    certificates: list === undefined ? [] : childrenOf(list, TAG.sequence).map(({ encoding }) => encoding),
    signatureAlgorithm: expect(algorithm, TAG.sequence).encoding,
    tbs: expect(data, TAG.sequence).encoding,
    signature: readBits(signature),
  }
}

function readResponder(element: Element | undefined): OcspResponse['responder'] {
  const inner = element === undefined ? undefined : decode(element.content)
  if (element?.tag === 0xa1) return { name: parseName(inner), keyHash: null }
  if (element?.tag === 0xa2) return { name: null, keyHash: expect(inner, TAG.octetString).content }
  throw damaged('an OCSP answer names no responder')
}

function readSingle(element: Element): SingleAnswer {
  const [id, status, thisUpdate, ...rest] = childrenOf(element, TAG.sequence)
  const next = rest.find(({ tag }) => tag === 0xa0)
  return {
    certificate: readCertificateId(id),
    status: readStatus(status),
    thisUpdate: readGeneralizedTime(thisUpdate),
    nextUpdate: next === undefined ? null : readGeneralizedTime(children(next)[0]),
    extensions: readExtensions(rest.find(({ tag }) => tag === 0xa1)),
  }
}

function readCertificateId(element: Element | undefined): CertificateId {
  const [algorithm, name, key, serial] = childrenOf(element, TAG.sequence)
  return {
    digest: digestOf(readOid(childrenOf(algorithm, TAG.sequence)[0])),
    issuerNameHash: expect(name, TAG.octetString).content,
    issuerKeyHash: expect(key, TAG.octetString).content,
    serial: expect(serial, TAG.integer).content,
  }
}

function readStatus(element: Element | undefined): SingleAnswer['status'] {
  if (element?.tag === 0x80) return { kind: 'good' }
  if (element?.tag === 0x82) return { kind: 'unknown' }
  const [time, reason] = children(expect(element, 0xa1))
  const code = reason === undefined ? undefined : expect(children(reason)[0], ENUMERATED).content
  return {
    kind: 'revoked',
    time: readGeneralizedTime(time),
    reason: code === undefined ? 'unspecified' : reasonOf(code),
  }
}

function damaged(message: string): SigningError {
  return new SigningError('signing/asn1-damaged', message)
}

const FAILURES: Readonly<Record<number, OcspFailure>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
}
const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1'
const ENUMERATED = 0x0a
const MAX_BYTES = 1024 * 1024
