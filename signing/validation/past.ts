/**
 * Past certificate validation by sliding the time (ETSI EN 319 102-1 §5.6.2.1 and §5.6.2.2): the last moment at which a
 * path could still be relied upon, from what is proven to have existed at each step, anchor's side first.
 *
 * The standard sets the time back to the issuance of revocation data that are no longer in force; here it goes back to
 * the end of their force, as for signatures whose authority is still valid: data in force at the proven time decide.
 */
import type { Certificate } from '../trust/certificate.ts'
import type { RevocationVerdict } from '../trust/revocation/verdict.ts'
import type { Path } from '../trust/trust-anchor.ts'
import { objectId } from './object-id.ts'
import type { Proof } from './poe.ts'
import { countsUntil, needsNoStatus, signerEnds, statusAt } from './status.ts'
import type { Workbench } from './workbench.ts'

export type PastAnswer =
  | { readonly kind: 'reached'; readonly time: Date }
  | { readonly kind: 'blocked'; readonly detail: string; readonly certificate: Certificate }

interface Slide {
  readonly purpose: 'signing' | 'timestamping'
  /** of the signer's certificate: what the signature value commits to existed with it */
  readonly signerProof: Proof
}

export function slide(bench: Workbench, path: Path, { purpose, signerProof }: Slide): PastAnswer {
  let time = earliest(bench.now, path.anchor.until)
  for (let index = path.certificates.length - 1; index >= 0; index--) {
    const certificate = path.certificates[index]
    if (certificate === undefined) continue
    const issuer = path.certificates[index + 1] ?? path.anchor.certificate
    const proof = index === 0 ? signerProof : bench.poe.of(certificate.sha256)
    if (proof.time > time) return { kind: 'blocked', detail: 'no proof that it existed in time', certificate }
    if (!needsNoStatus(certificate)) {
      const until = reliableUntil(bench, { certificate, issuer, purpose }, time)
      if (until === null) return { kind: 'blocked', detail: 'no status that is proven for the time', certificate }
      time = earliest(time, until)
    }
    time = earliest(time, certificate.notAfter)
  }
  return { kind: 'reached', time }
}

interface Step {
  certificate: Certificate
  issuer: Certificate
  purpose: Slide['purpose']
}

/** Until when this certificate could be relied upon, by what existed at `time`; null: nobody says. */
function reliableUntil(bench: Workbench, { certificate, issuer, purpose }: Step, time: Date): Date | null {
  const verdict: RevocationVerdict = statusAt(bench, { certificate, issuer }, time)
  if (verdict.kind === 'unavailable' || verdict.kind === 'unknown') return null
  const { source } = verdict
  // who answered must have been valid when the answer is first proven
  if (bench.poe.of(objectId(source.der)).time > signerEnds(source, issuer)) return null
  if (verdict.kind === 'revoked' || verdict.kind === 'hold') return new Date(verdict.time.getTime() - 1)
  return countsUntil(bench, source, purpose)
}

function earliest(time: Date, other: Date | undefined): Date {
  return other !== undefined && other < time ? other : time
}
