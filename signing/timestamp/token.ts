/**
 * A time-stamp token: what it says, and whether it holds together (RFC 3161 §2.4.2, RFC 5816, ETSI EN 319 422).
 *
 * Integrity and form; whether the authority is trusted, and at which time, is judged elsewhere.
 */
import { readBer } from '../asn1/ber.ts'
import * as der from '../asn1/der.ts'
import { readSignedData } from '../cms/container.ts'
import type { SignedDataParts, SignerParts } from '../cms/container.ts'
import { ID_TST_INFO, KEY_PURPOSE } from '../cms/oids.ts'
import { candidates, readableCertificates } from '../cms/signer-certificate.ts'
import { verifySigner } from '../cms/signer.ts'
import type { SignerVerdict } from '../cms/signer.ts'
import { SigningError } from '../errors.ts'
import { EXTENSION, readExtensionList } from '../trust/certificate.ts'
import type { Certificate, Extension } from '../trust/certificate.ts'
import { createDigest } from '../trust/digest.ts'
import { readAlternativeNames } from '../trust/extensions.ts'
import { generalNameKey, readGeneralName } from '../trust/general-name.ts'
import type { GeneralName } from '../trust/general-name.ts'
import { readImprint } from './request.ts'
import type { Imprint } from './request.ts'

export interface TimestampToken {
  /** DER of the ContentInfo, without what follows it */
  readonly der: Buffer
  readonly info: TimestampInfo
  /** all certificates inside that can be read */
  readonly certificates: readonly Certificate[]
  /** those that the signer identifier names */
  readonly tsaCandidates: readonly Certificate[]
  readonly signedData: SignedDataParts
  readonly signer: SignerParts
}

export interface TimestampInfo {
  /** time that the token proves: existed before */
  readonly genTime: Date
  /** milliseconds around `genTime`; null: not given */
  readonly accuracy: number | null
  readonly imprint: Imprint
  readonly policy: string
  /** lower-case hexadecimal */
  readonly serial: string
  /** content octets; null: none */
  readonly nonce: Buffer | null
  readonly tsa: GeneralName | null
  readonly extensions: ReadonlyMap<string, Extension>
}

/**
 * Reads a token; zero bytes may follow it (as in /Contents of a PDF), nothing else.
 *
 * @throws SigningError `signing/asn1-damaged` no token, or not exactly one signer
 */
export function parseToken(bytes: Buffer): TimestampToken {
  const signedData = readSignedData(bytes)
  const { trailing, content, contentType } = signedData
  const [signer, ...others] = signedData.signers
  if (trailing.some((byte) => byte !== 0)) throw damaged('bytes follow a time-stamp token')
  if (contentType !== ID_TST_INFO || content === null) throw damaged('this is no time-stamp token')
  if (signer === undefined || others.length > 0) throw damaged('a time-stamp token has exactly one signer')
  return {
    der: bytes.subarray(0, bytes.length - trailing.length),
    info: readInfo(content),
    certificates: readableCertificates(signedData.certificates),
    tsaCandidates: candidates(signedData, signer),
    signedData,
    signer,
  }
}

/** Do signature and certificate reference fit? `others`: certificates from outside the token. */
export function verifyToken(token: TimestampToken, others: readonly Certificate[] = []): Promise<SignerVerdict> {
  const content = token.signedData.content ?? Buffer.alloc(0)
  return verifySigner(token.signedData, token.signer, (digest) => createDigest(digest).update(content).digest(), others)
}

export type TsaFault = 'extended-key-usage' | 'key-usage' | 'not-valid-then' | 'tsa-name'

/**
 * May this certificate sign this token? RFC 3161 §2.3: the extended key usage is critical and holds time-stamping
 * alone. The path is judged elsewhere.
 */
export function tsaFaults(certificate: Certificate, { genTime, tsa }: TimestampInfo): TsaFault[] {
  const faults: TsaFault[] = []
  const { keyUsage } = certificate
  if (!isForTimestampsOnly(certificate)) faults.push('extended-key-usage')
  if (keyUsage !== null && !keyUsage.has('digitalSignature') && !keyUsage.has('nonRepudiation'))
    faults.push('key-usage')
  if (genTime < certificate.notBefore || genTime > certificate.notAfter) faults.push('not-valid-then')
  if (tsa !== null && !isNameOf(certificate, tsa)) faults.push('tsa-name')
  return faults
}

function isForTimestampsOnly({ extendedKeyUsage, extensions }: Certificate): boolean {
  const isCritical = extensions.get(EXTENSION.extendedKeyUsage)?.critical ?? false
  return isCritical && extendedKeyUsage?.size === 1 && extendedKeyUsage.has(KEY_PURPOSE.timeStamping)
}

/** Extensions that are critical and unknown; none is known to be critical (EN 319 422 §5.2.2: esi4-qtstStatement is not). */
export function hasUnknownCritical({ extensions }: TimestampInfo): boolean {
  return [...extensions.values()].some(({ critical }) => critical)
}

function isNameOf(certificate: Certificate, tsa: GeneralName): boolean {
  const key = generalNameKey(tsa)
  if (key === generalNameKey({ kind: 'directory', name: certificate.subject })) return true
  return readAlternativeNames(certificate).some((name) => generalNameKey(name) === key)
}

/** TSTInfo, which is DER (RFC 3161 §2.4.2). */
function readInfo(content: Buffer): TimestampInfo {
  const [version, policy, imprint, serial, genTime, ...rest] = der.childrenOf(der.decode(content), der.TAG.sequence)
  if (!der.expect(version, der.TAG.integer).content.equals(ONE)) throw damaged('a TSTInfo of another version')
  const take = (tag: number): der.Element | undefined => (rest[0]?.tag === tag ? rest.shift() : undefined)
  const accuracy = take(der.TAG.sequence)
  take(der.TAG.boolean) // ordering
  const nonce = take(der.TAG.integer)
  const tsa = take(0xa0)
  const extensions = take(0xa1)
  if (rest.length > 0) throw damaged('a TSTInfo has unexpected fields')
  return {
    genTime: readGenTime(genTime),
    accuracy: accuracy === undefined ? null : readAccuracy(accuracy),
    imprint: readImprint(imprint),
    policy: der.readOid(policy),
    serial: der.expect(serial, der.TAG.integer).content.toString('hex'),
    nonce: nonce?.content ?? null,
    tsa: tsa === undefined ? null : readGeneralName(readBer(tsa.content)),
    // extensions [1] IMPLICIT: the content is that of the SEQUENCE
    extensions:
      extensions === undefined
        ? new Map()
        : readExtensionList(der.decode(der.encode(der.TAG.sequence, extensions.content))),
  }
}

/** §2.4.2: GeneralizedTime with Z, fractions allowed; they are kept to the millisecond. */
function readGenTime(element: der.Element | undefined): Date {
  const { content } = der.expect(element, der.TAG.generalizedTime)
  const match = /^(\d{14})(?:\.(\d{1,9}))?Z$/.exec(content.toString('latin1'))
  if (match === null) throw damaged('bad time in a time-stamp')
  const whole = der.readTime({ tag: der.TAG.generalizedTime, content: Buffer.from(`${match[1]}Z`), encoding: content })
  const fraction = Number((match[2] ?? '0').padEnd(3, '0').slice(0, 3))
  return new Date(whole.getTime() + fraction)
}

function readAccuracy(element: der.Element): number {
  return der
    .children(element)
    .reduce((sum, { tag, content }) => sum + (SCALE[tag] ?? 0) * Number(`0x${content.toString('hex')}`), 0)
}

function damaged(message: string): SigningError {
  return new SigningError('signing/asn1-damaged', message)
}

/** seconds, millis [0], micros [1], in milliseconds */
const SCALE: Readonly<Record<number, number>> = { 0x02: 1000, 0x80: 1, 0x81: 0.001 }
const ONE = Buffer.from([1])
