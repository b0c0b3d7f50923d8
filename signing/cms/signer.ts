/**
 * Does one SignerInfo fit its content and a certificate? Integrity, not trust (RFC 5652 §5.4, §5.6, RFC 5035 §5,
 * RFC 6211, ETSI EN 319 102-1 §5.2.7).
 */
import { berChildren, berOctets, readBer } from '../asn1/ber.ts'
import { TAG, childrenOf, decode, readOid } from '../asn1/der.ts'
import { toDer } from '../asn1/reencode.ts'
import { SigningError } from '../errors.ts'
import { algorithmOid, readDigest, readSignatureScheme } from '../trust/algorithm-identifier.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import type { Certificate } from '../trust/certificate.ts'
import { verifyValue } from '../trust/signature-value.ts'
import type { ValueVerdict } from '../trust/signature-value.ts'
import type { SignedDataParts, SignerParts } from './container.ts'
import { ATTRIBUTE } from './oids.ts'
import { looksLikeAttributes, readSignedAttributes } from './signed-attributes.ts'
import type { SignedAttributes } from './signed-attributes.ts'
import { candidates, certificateReferences } from './signer-certificate.ts'
import type { CertificateReference } from './signer-certificate.ts'

/** The codes mean what validation/facts.ts says. */
export interface SignerFault {
  code:
    | 'format'
    | 'digest'
    | 'value'
    | 'certificate-missing'
    | 'certificate-reference'
    | 'data-missing'
    | 'algorithm'
    | 'constraints'
  detail: string
}

export interface SignerQuestion {
  /** the SignedData around it: certificates, type and octets of the content */
  parts: Pick<SignedDataParts, 'certificates' | 'contentType' | 'content'>
  signer: SignerParts
  /** digest of the content by this algorithm; null: the content is not at hand */
  contentDigest: ((digest: Digest) => Promise<Buffer> | Buffer) | null
  /** certificates from outside */
  others?: readonly Certificate[]
  /** it signs the value of another signature: no content-type then (RFC 5652 §11.4) */
  isCountersignature?: boolean
}

export interface SignerJudgement {
  /** in the order of the checks; empty: it holds together */
  faults: readonly SignerFault[]
  /** the one that fits best what is there; null: none that is named */
  certificate: Certificate | null
  /** null: there are none, or they cannot be read */
  attributes: SignedAttributes | null
  /** digests of the references to the signer; empty: there is no reference */
  referenceDigests: readonly (Digest | null)[]
  /** the value fits only the DER of the signed attributes, which were sent in another form */
  isReencoded: boolean
}

/** Judges `signer`; never throws for what is in it. */
export async function judgeSigner(question: SignerQuestion): Promise<SignerJudgement> {
  const { signer, contentDigest } = question
  const judgement = { ...EMPTY, faults: [] as SignerFault[] }
  const { faults } = judgement
  try {
    const attributes = readSignedAttributes(signer)
    if (attributes === null) return { ...judgement, faults: [...missingData(contentDigest), DOUBLED] }
    const digest = readDigest(signer.digestAlgorithm)
    if (digest === null) faults.push(unknownDigest(signer))
    faults.push(...missingData(contentDigest))
    const content = digest === null || contentDigest === null ? null : await contentDigest(digest)
    faults.push(
      ...(signer.signedAttributes === null ? stripped(question) : attributeFaults(question, attributes, content)),
    )
    const references = certificateReferences(attributes.values)
    const found = findCertificate(question, references, content)
    faults.push(...found.faults)
    const referenceDigests = references.map((reference) => reference.digest)
    const { certificate, isReencoded } = found
    return { faults, certificate, attributes, referenceDigests, isReencoded }
  } catch (error) {
    if (!(error instanceof SigningError && error.code === 'signing/asn1-damaged')) throw error
    return { ...judgement, faults: [fault('format', error.message), ...faults] }
  }
}

const missingData = (contentDigest: SignerQuestion['contentDigest']): SignerFault[] =>
  contentDigest === null ? [fault('data-missing', 'what was signed is not at hand')] : []

/**
 * A digest that is not known leaves open whether the data are those that were signed. The identifier of a signature
 * algorithm in its place (as some old software writes it) is known, and is no digest that message-digest could be.
 */
function unknownDigest({ digestAlgorithm, signedAttributes }: SignerParts): SignerFault {
  const oid = algorithmOid(digestAlgorithm)
  const isNone = signedAttributes !== null && readSignatureScheme(digestAlgorithm) !== null
  return isNone ? fault('digest', `${oid} is no digest algorithm`) : fault('algorithm', `digest ${oid} is not known`)
}

/** Without signed attributes it is CMS but no AdES, and what was signed can be read in two ways. */
function stripped({ parts }: SignerQuestion): SignerFault[] {
  const isConfusing = parts.content !== null && looksLikeAttributes(parts.content)
  return [
    ...(isConfusing ? [fault('format', 'the content looks like signed attributes that were taken off')] : []),
    fault('constraints', 'there are no signed attributes'),
  ]
}

function attributeFaults(
  { parts, signer, isCountersignature = false }: SignerQuestion,
  { values }: SignedAttributes,
  content: Buffer | null,
): SignerFault[] {
  const faults: SignerFault[] = []
  const contentType = values.get(ATTRIBUTE.contentType)
  const messageDigest = values.get(ATTRIBUTE.messageDigest)
  if (contentType === undefined) {
    if (!isCountersignature) faults.push(fault('format', 'content-type is missing'))
  } else if (!isCountersignature && readOid(readBer(contentType)) !== parts.contentType) {
    faults.push(fault('format', 'content-type is not that of the content'))
  }
  if (messageDigest === undefined) faults.push(fault('format', 'message-digest is missing'))
  else if (content !== null && !berOctets(readBer(messageDigest)).equals(content)) {
    faults.push(fault('digest', 'message-digest is not that of the content'))
  }
  const protection = values.get(ATTRIBUTE.algorithmProtection)
  if (protection !== undefined && !isProtected(signer, protection)) {
    faults.push(fault('value', 'cms-algorithm-protection names other algorithms'))
  }
  return faults
}

/** RFC 6211 §3: both identifiers are those of the SignerInfo; NULL and no parameters are the same. */
function isProtected({ digestAlgorithm, signatureAlgorithm }: SignerParts, protection: Buffer): boolean {
  const [digest, signature] = berChildren(readBer(protection), TAG.sequence)
  if (digest === undefined || signature?.tag !== 0xa1) return false
  const plain = Buffer.from(signature.encoding)
  plain[0] = TAG.sequence
  return (
    identifierKey(digest.encoding) === identifierKey(digestAlgorithm) &&
    identifierKey(plain) === identifierKey(signatureAlgorithm)
  )
}

function identifierKey(algorithm: Buffer): string {
  const [id, parameters] = childrenOf(decode(algorithm), TAG.sequence)
  const isNull = parameters === undefined || parameters.tag === TAG.null
  return `${readOid(id)} ${isNull ? '' : parameters.encoding.toString('hex')}`
}

interface Found {
  faults: SignerFault[]
  certificate: Certificate | null
  isReencoded: boolean
}

/** All that the identifier names are tried; of several only the one that the reference means counts. */
function findCertificate(
  question: SignerQuestion,
  references: readonly CertificateReference[],
  content: Buffer | null,
): Found {
  const found = candidates(question.parts, question.signer, question.others)
  const missing = fault('certificate-missing', 'no certificate that the signature names')
  if (found.length === 0) return { faults: [missing], certificate: null, isReencoded: false }
  const named = found.filter((certificate) => references.every((reference) => reference.fits(certificate)))
  const tried = (named.length > 0 ? named : found).slice(0, MAX_TRIED).map((certificate) => ({
    certificate,
    ...verifySigned(question, certificate, content),
  }))
  const good = tried.filter(({ verdict }) => verdict.kind === 'good')
  const best = good[0] ?? tried[0]
  const { certificate = null, isReencoded = false } = best ?? {}
  if (named.length === 0) {
    const detail =
      good.length > 0 ? 'signing-certificate names another one' : 'the one that signing-certificate names is not there'
    return { faults: [fault('certificate-reference', detail)], certificate, isReencoded }
  }
  if (good.length > 1) {
    return { faults: [fault('certificate-reference', 'several certificates fit')], certificate, isReencoded }
  }
  return { faults: best === undefined ? [missing] : valueFaults(best.verdict), certificate, isReencoded }
}

function valueFaults(verdict: ValueVerdict): SignerFault[] {
  if (verdict.kind === 'good') return []
  if (verdict.kind === 'unsupported' && CURVES.test(verdict.algorithm))
    return [fault('value', `${verdict.algorithm} is a curve, no value can be made with it`)]
  if (verdict.kind === 'unsupported') return [fault('algorithm', `${verdict.algorithm} is not known`)]
  return [fault('value', 'the signature value does not fit the certificate')]
}

/**
 * RFC 5652 §5.4: the signed attributes are signed as a SET in DER. What was transmitted is tried first, its DER then:
 * old software sends them in another order or in BER.
 */
function verifySigned(
  { parts, signer }: SignerQuestion,
  { spki }: Certificate,
  content: Buffer | null,
): { verdict: ValueVerdict; isReencoded: boolean } {
  const { signatureAlgorithm: algorithm, digestAlgorithm, signedAttributes, value } = signer
  const verify = (signed: Buffer | { digest: Buffer }): ValueVerdict =>
    verifyValue({ algorithm, digestAlgorithm, spki, signed }, value)
  if (signedAttributes === null) {
    const signed = parts.content ?? (content === null ? Buffer.alloc(0) : { digest: content })
    return { verdict: verify(signed), isReencoded: false }
  }
  const transmitted = asSet(signedAttributes)
  const verdict = verify(transmitted)
  if (verdict.kind !== 'bad') return { verdict, isReencoded: false }
  const der = toDer(transmitted)
  if (der.equals(transmitted)) return { verdict, isReencoded: false }
  const second = verify(der)
  return { verdict: second, isReencoded: second.kind === 'good' }
}

/** The signed attributes with the tag that is signed: SET, not [0]. */
export function asSet(signedAttributes: Buffer): Buffer {
  const bytes = Buffer.from(signedAttributes)
  bytes[0] = TAG.set
  return bytes
}

export type SignerVerdict =
  | { kind: 'good'; certificate: Certificate }
  | {
      kind: 'bad'
      reason:
        | 'attributes' // missing, repeated, with several values, contradicting, or content-type differs
        | 'digest' // the content is another, or not there
        | 'certificate' // none that the signing-certificate attribute names
        | 'signature'
        | 'unsupported-algorithm'
    }

/**
 * The same in one word, for what this program builds upon: signed attributes with a signing-certificate reference are
 * demanded, as AdES and time-stamp tokens have them.
 *
 * @param contentDigest digest of the content by this algorithm
 */
export async function verifySigner(
  parts: SignedDataParts,
  signer: SignerParts,
  contentDigest: (digest: Digest) => Promise<Buffer> | Buffer,
  others: readonly Certificate[] = [],
): Promise<SignerVerdict> {
  const { faults, certificate, referenceDigests } = await judgeSigner({ parts, signer, contentDigest, others })
  const [first] = faults
  if (first !== undefined) return { kind: 'bad', reason: REASONS[first.code] }
  return certificate === null || referenceDigests.length === 0
    ? { kind: 'bad', reason: 'certificate' }
    : { kind: 'good', certificate }
}

const fault = (code: SignerFault['code'], detail: string): SignerFault => ({ code, detail })

/** with two of them, no value is over what a reader takes for signed */
const DOUBLED = fault('value', 'a signed attribute appears twice')
/** object identifiers of elliptic curves: ANSI X9.62, SEC, Brainpool */
const CURVES = /^(?:1\.2\.840\.10045\.3|1\.3\.132\.0|1\.3\.36\.3\.3\.2\.8)\./
/** of certificates with the same issuer and number, which no honest authority makes */
const MAX_TRIED = 8
const EMPTY = { certificate: null, attributes: null, referenceDigests: [], isReencoded: false }
const REASONS = {
  format: 'attributes',
  constraints: 'attributes',
  digest: 'digest',
  'data-missing': 'digest',
  'certificate-missing': 'certificate',
  'certificate-reference': 'certificate',
  value: 'signature',
  algorithm: 'unsupported-algorithm',
} as const
