/** Certificates and their status in the words of the report. */
import type { Certificate } from '../trust/certificate.ts'
import type { Name } from '../trust/name.ts'
import { certificateClaims } from '../trust/qc-statements.ts'
import { certificateRestrictions } from '../trust/restrictions.ts'
import type { RevocationSource, RevocationVerdict } from '../trust/revocation/verdict.ts'
import type { CertificateReport, RevocationReport } from './report.ts'
import type { CertificateStatus } from './status.ts'
import { useOf } from './suitability.ts'

/** Every certificate once, in order of appearance; the first status that is known counts. */
export function describeCertificates(
  named: readonly Certificate[],
  statuses: readonly CertificateStatus[],
): CertificateReport[] {
  const verdicts = new Map<string, RevocationVerdict>()
  for (const { certificate, verdict } of statuses)
    if (verdict !== null && !verdicts.has(certificate.sha256)) verdicts.set(certificate.sha256, verdict)
  const distinct = new Map(named.map((certificate) => [certificate.sha256, certificate]))
  return [...distinct.values()].map((certificate) => describe(certificate, verdicts.get(certificate.sha256)))
}

function describe(certificate: Certificate, verdict: RevocationVerdict | undefined): CertificateReport {
  return {
    sha256: certificate.sha256,
    subject: nameText(certificate.subject),
    issuer: nameText(certificate.issuer),
    serialNumber: certificate.serial.toString('hex'),
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    key: keyText(certificate),
    claims: certificateClaims(certificate),
    restrictions: certificateRestrictions(certificate),
    revocation: verdict === undefined ? null : revocationReport(verdict),
    der: certificate.der.toString('base64'),
  }
}

function revocationReport(verdict: RevocationVerdict): RevocationReport {
  const revoked = verdict.kind === 'revoked' || verdict.kind === 'hold' ? verdict : null
  return {
    status: verdict.kind,
    ...sourceReport('source' in verdict ? verdict.source : null),
    revokedAt: revoked?.time.toISOString() ?? null,
    reason: revoked?.reason ?? null,
  }
}

function sourceReport(
  source: RevocationSource | null,
): Pick<RevocationReport, 'source' | 'thisUpdate' | 'producedAt' | 'sha256'> {
  if (source === null) return { source: null, thisUpdate: null, producedAt: null, sha256: null }
  const { kind, thisUpdate, producedAt, sha256 } = source
  return { source: kind, thisUpdate: thisUpdate.toISOString(), producedAt: producedAt.toISOString(), sha256 }
}

function keyText({ signatureAlgorithm, spki }: Certificate): string {
  const use = useOf(signatureAlgorithm, spki)
  if (use === null || !('keyKind' in use)) return 'unknown'
  return use.curve === null ? `${use.keyKind} ${use.keyBits}` : `${use.keyKind} ${use.curve}`
}

/** RFC 4514 order (the most specific first), with values as they are; for display, not for comparison. */
function nameText({ attributes }: Name): string {
  return [...attributes]
    .reverse()
    .map(({ type, value }) => `${SHORT.get(type) ?? type}=${value}`)
    .join(', ')
}

const SHORT: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.4', 'SN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'title'],
  ['2.5.4.42', 'GN'],
  ['2.5.4.65', 'pseudonym'],
  ['2.5.4.97', 'organizationIdentifier'],
  ['1.2.840.113549.1.9.1', 'email'],
])
