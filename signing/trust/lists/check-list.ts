/**
 * May this list be used (ETSI TS 119 615 §4.1 to §4.3, TS 119 612 §5.7)?
 *
 * Its signature must come from one of the certificates that were announced for it, matched directly and not by a path:
 * whoever announces a certificate vouches for it, also beyond its expiry. A list that is refused changes nothing.
 */
import { createHash } from 'node:crypto'
import { SigningError } from '../../errors.ts'
import { judgeAlgorithm, judgeDigest } from '../../../policies/index.ts'
import { verifyEnveloped } from '../../xml/enveloped.ts'
import type { EnvelopedVerdict } from '../../xml/enveloped.ts'
import { parseDocument } from '../../xml/parse.ts'
import type { Certificate } from '../certificate.ts'
import type { TrustedList } from './model.ts'
import { LIST_LIMITS, readTrustedList } from './read-list.ts'

export interface AcceptedList {
  list: TrustedList
  /** exactly what was signed, as it was received */
  bytes: Buffer
  /** of `bytes`, lower-case hexadecimal */
  sha256: string
  signer: Certificate
  /** address that it was fetched from */
  location: string
  retrievedAt: Date | null
}

/**
 * - `unreadable`: no list in XML without a document type
 * - `version`: neither 5 nor 6
 * - `kind`, `territory`: another one than was asked for
 * - `signature`: none, several, broken, or by a certificate that nobody announced
 * - `rollback`: older than one that was accepted before
 */
export type ListRefusal = 'unreadable' | 'version' | 'kind' | 'territory' | 'signature' | 'rollback'

export type ListVerdict =
  { kind: 'accepted'; list: AcceptedList } | { kind: 'refused'; reason: ListRefusal; detail: string }

export interface ListExpectation {
  /** `EUgeneric` or `EUlistofthelists` */
  type: string
  territory: string
  /** certificates that were announced for it */
  signers: readonly Certificate[]
  /** the newest one accepted before; null: none */
  previous: TrustedList | null
}

/** Judges the bytes of one list. Pure; a list that is merely overdue is accepted. */
export function checkList(
  bytes: Buffer,
  origin: Pick<AcceptedList, 'location' | 'retrievedAt'>,
  expectation: ListExpectation,
): ListVerdict {
  const signature = verifyEnveloped(bytes, expectation.signers, LIST_LIMITS)
  if (signature.kind === 'broken') {
    const reason = signature.reason === 'unreadable' ? 'unreadable' : 'signature'
    return refused(reason, `${signature.reason} ${signature.detail}`.trim())
  }
  const signer = announced(signature.certificate, expectation.signers)
  if (signer === null) return refused('signature', 'the certificate of the signer was not announced')
  // what is read is what was signed
  const list = readSigned(signature.signedOctets)
  if (typeof list === 'string') return refused('unreadable', list)
  const fault = formFault(list, expectation) ?? algorithmFault(list, signature)
  if (fault !== null) return fault
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { kind: 'accepted', list: { list, bytes, sha256, signer, ...origin } }
}

/** The announced certificate of the same key: a list may carry a renewed one. */
function announced({ spki }: Certificate, signers: readonly Certificate[]): Certificate | null {
  return signers.find((signer) => signer.spki.equals(spki)) ?? null
}

function readSigned(octets: Buffer): TrustedList | string {
  try {
    return readTrustedList(parseDocument(octets, LIST_LIMITS).root)
  } catch (error) {
    if (error instanceof SigningError) return error.message
    throw error
  }
}

function algorithmFault(
  list: TrustedList,
  signature: Extract<EnvelopedVerdict, { kind: 'holds' }>,
): ListVerdict | null {
  const value = judgeAlgorithm(signature.algorithms, 'ts119312', list.issuedAt)
  const digest = judgeDigest(signature.digest, 'ts119312', list.issuedAt)
  return value.kind === 'good' && digest.kind === 'good' ? null : refused('signature', 'an algorithm that is too weak')
}

function formFault(list: TrustedList, { type, territory, previous }: ListExpectation): ListVerdict | null {
  if (list.version !== 5 && list.version !== 6) return refused('version', `version ${list.version}`)
  if (list.type !== type) return refused('kind', list.type.slice(0, 200))
  if (list.territory !== territory)
    return refused('territory', `${list.territory.slice(0, 10)} instead of ${territory}`)
  if (previous === null) return null
  const isOlder = list.sequence < previous.sequence || list.issuedAt < previous.issuedAt
  return isOlder ? refused('rollback', `sequence ${list.sequence} after ${previous.sequence}`) : null
}

function refused(reason: ListRefusal, detail: string): ListVerdict {
  return { kind: 'refused', reason, detail }
}
