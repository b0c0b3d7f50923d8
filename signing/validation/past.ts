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
import { earlier } from './poe.ts'
import type { Proof } from './poe.ts'
import { countsUntil, needsNoStatus, signerEnds, statusAt } from './status.ts'
import type { Workbench } from './workbench.ts'

export type PastAnswer =
  | { readonly kind: 'reached'; readonly time: Date }
  | { readonly kind: 'blocked'; readonly detail: string; readonly certificate: Certificate }

interface Slide {
  readonly purpose: 'signing' | 'timestamping'
  /** of the signature value, or of the token */
  readonly valueProof: Proof
}

export function slide(bench: Workbench, path: Path, { purpose, valueProof }: Slide): PastAnswer {
  let time = earliest(bench.now, path.anchor.until)
  for (let index = path.certificates.length - 1; index >= 0; index--) {
    const certificate = path.certificates[index]
    if (certificate === undefined) continue
    const issuer = path.certificates[index + 1] ?? path.anchor.certificate
    const own = bench.poe.of(certificate.sha256)
    // a signature names its certificate by a digest under the signature: both existed together
    const proof = index === 0 ? earlier(own, valueProof) : own
    if (proof.time > time) return { kind: 'blocked', detail: 'no proof that it existed in time', certificate }
    if (!needsNoStatus(certificate)) {
      const until = reliableUntil(bench, { certificate, issuer, purpose, valueProof }, time)
      if (until === null) return { kind: 'blocked', detail: 'no status that is proven for the time', certificate }
      time = earliest(time, until)
    }
    time = earliest(time, certificate.notAfter)
  }
  return { kind: 'reached', time }
}

interface Step extends Slide {
  certificate: Certificate
  issuer: Certificate
}

/** Until when this certificate could be relied upon, by what existed at `time`; null: nobody says. */
function reliableUntil(bench: Workbench, { certificate, issuer, purpose, valueProof }: Step, time: Date): Date | null {
  const verdict: RevocationVerdict = statusAt(bench, { certificate, issuer }, time)
  if (verdict.kind === 'unavailable' || verdict.kind === 'unknown') return null
  const { source } = verdict
  // who answered must have been valid when the answer, or what it is needed for, is proven
  const proof = earlier(bench.poe.of(objectId(source.der)), valueProof)
  if (proof.time > signerEnds(bench, source, { issuer, purpose })) return null
  if (verdict.kind === 'revoked' || verdict.kind === 'hold') return new Date(verdict.time.getTime() - 1)
  return countsUntil(bench, source, purpose)
}

function earliest(time: Date, other: Date | undefined): Date {
  return other !== undefined && other < time ? other : time
}
