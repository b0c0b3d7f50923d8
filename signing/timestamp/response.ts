/**
 * The answer of a time-stamping authority, and every check that RFC 3161 §2.2 and §2.4.2 demand of the requester.
 */
import { berChildren, readBer } from '../asn1/ber.ts'
import * as der from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import type { Certificate } from '../trust/certificate.ts'
import type { TimestampRequest } from './request.ts'
import { hasUnknownCritical, parseToken, tsaFaults, verifyToken } from './token.ts'
import type { TimestampInfo, TimestampToken, TsaFault } from './token.ts'

export type ResponseVerdict =
  | { kind: 'accepted'; token: TimestampToken; certificate: Certificate }
  | { kind: 'rejected'; reason: ResponseFault; detail: string }

export type ResponseFault =
  | 'malformed'
  | 'not-granted'
  | 'imprint'
  | 'nonce'
  | 'policy'
  | 'time'
  | 'integrity'
  | 'tsa-certificate'
  | 'untrusted'
  | 'unknown-extension'

export interface ResponseConditions {
  /** our clock when the answer came; the token must say the same within its accuracy and 5 minutes. Null: not asked */
  now: Date | null
  /** certificates from outside that the authority may not have sent */
  pool?: readonly Certificate[]
  /** policies that are accepted when none was asked for; absent: any */
  policies?: ReadonlySet<string>
  /** Is there a trusted path for this certificate at this time, and is its key good enough? */
  trusts: (certificate: Certificate, at: Date, pool: readonly Certificate[]) => boolean | Promise<boolean>
}

/** Judges an answer; never throws for what is in it. */
export async function checkResponse(
  request: Omit<TimestampRequest, 'der'>,
  response: Buffer,
  conditions: ResponseConditions,
): Promise<ResponseVerdict> {
  try {
    const { granted, detail, token } = readResponse(response)
    if (!granted) return rejected('not-granted', detail)
    if (token === null) return rejected('malformed', 'granted, but without a token')
    return await checkToken(request, parseToken(token), conditions)
  } catch (error) {
    if (error instanceof SigningError) return rejected('malformed', error.message)
    throw error
  }
}

/**
 * TimeStampResp: PKIStatus 0 and 1 grant (§2.4.2).
 *
 * @throws SigningError `signing/asn1-damaged`
 */
function readResponse(response: Buffer): { granted: boolean; detail: string; token: Buffer | null } {
  const whole = readBer(response)
  if (whole.encoding.length !== response.length)
    throw new SigningError('signing/asn1-damaged', 'bytes follow the answer')
  const [status, token] = berChildren(whole, der.TAG.sequence)
  const [code, ...rest] = berChildren(status, der.TAG.sequence)
  const value = der.expect(code, der.TAG.integer).content
  const granted = value.length === 1 && (value[0] === 0 || value[0] === 1)
  const failure = rest.find(({ tag }) => tag === der.TAG.bitString)
  const detail = `status ${value.toString('hex')}${failure === undefined ? '' : `, ${failureName(failure.content)}`}`
  return { granted, detail, token: token?.encoding ?? null }
}

async function checkToken(
  request: Omit<TimestampRequest, 'der'>,
  token: TimestampToken,
  conditions: ResponseConditions,
): Promise<ResponseVerdict> {
  const { info } = token
  const fault = contentFault(request, token, conditions)
  if (fault !== null) return fault
  const integrity = await verifyToken(token, conditions.pool)
  if (integrity.kind === 'bad') return rejected('integrity', integrity.reason)
  const { certificate } = integrity
  const faults: TsaFault[] = tsaFaults(certificate, info)
  if (faults.length > 0) return rejected('tsa-certificate', faults.join(', '))
  const pool = [...token.certificates, ...(conditions.pool ?? [])]
  if (!(await conditions.trusts(certificate, info.genTime, pool))) return rejected('untrusted', 'no trusted path')
  return { kind: 'accepted', token, certificate }
}

function contentFault(
  request: Omit<TimestampRequest, 'der'>,
  { info }: TimestampToken,
  { now, policies }: ResponseConditions,
): ResponseVerdict | null {
  const fault = answerFault(request, info)
  if (fault !== null) return fault
  const isWanted = request.policy === null ? (policies?.has(info.policy) ?? true) : request.policy === info.policy
  if (!isWanted) return rejected('policy', info.policy)
  const tolerance = CLOCK_TOLERANCE_MS + (info.accuracy ?? 0)
  if (now !== null && Math.abs(now.getTime() - info.genTime.getTime()) > tolerance) {
    return rejected('time', `${info.genTime.toISOString()} at ${now.toISOString()}`)
  }
  return hasUnknownCritical(info) ? rejected('unknown-extension', 'critical') : null
}

/** Is it an answer to this request? */
function answerFault({ imprint, nonce }: Omit<TimestampRequest, 'der'>, info: TimestampInfo): ResponseVerdict | null {
  if (info.imprint.algorithm !== imprint.algorithm) return rejected('imprint', 'another digest algorithm')
  if (!info.imprint.value.equals(imprint.value)) return rejected('imprint', 'another digest')
  const isSame = nonce === null || (info.nonce !== null && nonce.equals(info.nonce))
  return isSame ? null : rejected('nonce', 'missing or another')
}

/** PKIFailureInfo, the bits that RFC 3161 names. */
function failureName(bits: Buffer): string {
  const set = Object.entries(FAILURES).find(
    ([bit]) => ((bits[1 + (Number(bit) >> 3)] ?? 0) & (0x80 >> (Number(bit) & 7))) !== 0,
  )
  return set?.[1] ?? 'unknown failure'
}

const rejected = (reason: ResponseFault, detail: string): ResponseVerdict => ({ kind: 'rejected', reason, detail })

const FAILURES: Readonly<Record<number, string>> = {
  0: 'badAlg',
  2: 'badRequest',
  5: 'badDataFormat',
  14: 'timeNotAvailable',
  15: 'unacceptedPolicy',
  16: 'unacceptedExtension',
  17: 'addInfoNotAvailable',
  25: 'systemFailure',
}
const CLOCK_TOLERANCE_MS = 5 * 60 * 1000
