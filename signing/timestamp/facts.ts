/**
 * What a time-stamp token says and whether it holds together, before its authority is trusted (RFC 3161 §2.4.2, ETSI
 * EN 319 422, EN 319 102-1 §5.4).
 */
import { algorithmsInUse } from '../cms/algorithms-in-use.ts'
import { judgeSigner } from '../cms/signer.ts'
import type { SignerFault, SignerJudgement } from '../cms/signer.ts'
import { SigningError } from '../errors.ts'
import { digestOf } from '../trust/algorithm-identifier.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import type { Certificate } from '../trust/certificate.ts'
import { createDigest } from '../trust/digest.ts'
import type { TimestampFacts, TimestampFault } from '../validation/facts.ts'
import { objectId } from '../validation/object-id.ts'
import { hasUnknownCritical, parseToken, tsaFaults } from './token.ts'
import type { TimestampToken } from './token.ts'

export interface TokenReading {
  /** ContentInfo; zero bytes may follow */
  bytes: Buffer
  id: string
  kind: TimestampFacts['kind']
  /** digest of what the imprint is over; null: that is not at hand */
  contentDigest: ((digest: Digest) => Promise<Buffer> | Buffer) | null
  /** object names of what is inside the imprint, if it fits */
  covers: ReadonlySet<string>
  /** certificates from outside the token */
  others?: readonly Certificate[]
}

/** Reads and judges one token; never throws for what is in it. */
export async function readTokenFacts(reading: TokenReading): Promise<TimestampFacts> {
  const { bytes, id, kind, covers, others = [] } = reading
  const token = readToken(bytes)
  if (!('info' in token)) return { ...UNREADABLE, id, kind, faults: [token], tokenId: objectId(bytes) }
  const judgement = await judgeToken(token, others)
  const imprint = await imprintFault(token, reading)
  const { certificate } = judgement
  const faults = [...imprint, ...judgement.faults.map(asTimestampFault), ...formFaults(token, judgement)]
  const digest = digestOf(token.info.imprint.algorithm)
  const isWeak = judgement.referenceDigests.includes('sha1')
  return {
    id,
    kind,
    faults,
    info: token.info,
    certificate,
    certificates: token.certificates,
    algorithms: [...algorithmsInUse(token.signer, certificate), { place: 'message-imprint', use: { digest } }],
    tokenId: objectId(token.der),
    covers: imprint.length === 0 ? covers : NOTHING,
    findings: isWeak ? [{ severity: 'info', code: 'weak-reference', detail: '' }] : [],
  }
}

function readToken(bytes: Buffer): TimestampToken | TimestampFault {
  try {
    return parseToken(bytes)
  } catch (error) {
    if (error instanceof SigningError) return { code: 'unreadable', detail: error.message }
    throw error
  }
}

function judgeToken({ signedData, signer }: TimestampToken, others: readonly Certificate[]): Promise<SignerJudgement> {
  const content = signedData.content ?? Buffer.alloc(0)
  const contentDigest = (digest: Digest): Buffer => createDigest(digest).update(content).digest()
  return judgeSigner({ parts: signedData, signer, contentDigest, others })
}

async function imprintFault({ info }: TimestampToken, { contentDigest }: TokenReading): Promise<TimestampFault[]> {
  const { algorithm, value } = info.imprint
  const digest = digestOf(algorithm)
  if (contentDigest === null) return [{ code: 'data-missing', detail: 'what the time-stamp is over is not at hand' }]
  if (digest === null) return [{ code: 'algorithm', detail: `digest ${algorithm} is not known` }]
  const fits = value.equals(await contentDigest(digest))
  return fits ? [] : [{ code: 'imprint', detail: 'the time-stamp is over something else' }]
}

/** What RFC 3161 §2.3 and §2.4.2 demand of the token and of the authority's certificate. */
function formFaults({ info }: TimestampToken, { certificate, referenceDigests }: SignerJudgement): TimestampFault[] {
  const details = certificate === null ? [] : tsaFaults(certificate, info).map((name) => `certificate: ${name}`)
  if (referenceDigests.length === 0) details.push('signing-certificate is missing')
  if (hasUnknownCritical(info)) details.push('an unknown critical extension')
  return details.map((detail) => ({ code: 'form', detail }))
}

const asTimestampFault = ({ code, detail }: SignerFault): TimestampFault => ({ code: CODES[code], detail })

const CODES = {
  format: 'form',
  constraints: 'form',
  digest: 'value',
  value: 'value',
  'data-missing': 'unreadable',
  'certificate-missing': 'certificate',
  'certificate-reference': 'certificate',
  algorithm: 'algorithm',
} as const
const NOTHING: ReadonlySet<string> = new Set()
const UNREADABLE = { info: null, certificate: null, certificates: [], algorithms: [], covers: NOTHING, findings: [] }
