/**
 * Revocation data inside a SignedData (RFC 5652 §10.2.1, RFC 5940): CRLs as they are, OCSP answers as another format.
 */
import { berChildren, readBer } from '../asn1/ber.ts'
import * as der from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import type { Gap } from '../trust/online.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import { REVOCATION_FORMAT } from './oids.ts'

/** RevocationInfoChoices for this evidence; OCSP answers are written whole. */
export function revocationChoices({ crls, ocsps }: Evidence): Buffer[] {
  const answers = ocsps.map((answer) => der.encode(0xa1, der.oid(REVOCATION_FORMAT.ocspResponse), asResponse(answer)))
  return [...crls, ...answers]
}

/** What the RevocationInfoChoices of a SignedData hold; what is neither CRL nor OCSP, or unreadable, is left out. */
export function revocationEvidence(choices: readonly Buffer[]): Evidence {
  const found = choices.map(readChoice)
  const of = (kind: 'crl' | 'ocsp'): Buffer[] => found.flatMap((item) => (item?.kind === kind ? [item.bytes] : []))
  return { certificates: [], crls: of('crl'), ocsps: of('ocsp') }
}

/** The CRL or OCSP answer in one RevocationInfoChoice; null: something else, or unreadable. */
export function readChoice(choice: Buffer): { kind: 'crl' | 'ocsp'; bytes: Buffer } | null {
  if (choice[0] === der.TAG.sequence) return { kind: 'crl', bytes: choice }
  try {
    const [format, value] = berChildren(readBer(choice), 0xa1)
    const id = der.readOid(format)
    const isOcsp = id === REVOCATION_FORMAT.ocspResponse || id === REVOCATION_FORMAT.basicOcsp
    return isOcsp && value !== undefined ? { kind: 'ocsp', bytes: value.encoding } : null
  } catch (error) {
    if (error instanceof SigningError) return null
    throw error
  }
}

/** The error for evidence that is not to be had; says what is missing, not whose. */
export function missingEvidence(gaps: readonly Gap[]): SigningError {
  const reasons = gaps.map(({ reason }) => reason).join(', ')
  return new SigningError('signing/evidence-missing', `certificates without usable status or path: ${reasons}`)
}

/** A BasicOCSPResponse alone gets its OCSPResponse around it (RFC 6960 §4.2.1). */
export function asResponse(answer: Buffer): Buffer {
  const [first] = der.childrenOf(der.decode(answer), der.TAG.sequence)
  if (first?.tag === ENUMERATED) return answer
  const bytes = der.sequence(der.oid(REVOCATION_FORMAT.basicOcsp), der.octetString(answer))
  return der.sequence(der.encode(ENUMERATED, Buffer.from([0])), der.encode(0xa0, bytes))
}

const ENUMERATED = 0x0a
