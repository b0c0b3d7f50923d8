/**
 * Who signed: the certificate that the signed properties name, and whether the value fits its key (ETSI EN 319 102-1
 * §5.2.3, EN 319 132-1 §5.2.2). KeyInfo only offers candidates.
 */
import type { Certificate } from '../trust/certificate.ts'
import type { SignatureFault } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { verifyDsigValue } from '../xml/dsig.ts'
import type { DsigSignature } from '../xml/dsig.ts'
import type { WorkBudget } from '../xml/references.ts'
import { isNamedBy } from './certificate-reference.ts'
import type { CertificateReference } from './certificate-reference.ts'

export interface SignerReading {
  certificate: Certificate | null
  faults: SignatureFault[]
  findings: Finding[]
}

/**
 * @param offered in the order in which they are tried; the first 1000 are compared, the first 32 verified with
 * @param references of the signed properties; null: they name nobody, or are not signed
 * @param budget verifications with certificates that nothing names, of all signatures together
 */
export function findSigner(
  signature: DsigSignature,
  offered: readonly Certificate[],
  references: readonly CertificateReference[] | null,
  budget: Pick<WorkBudget, 'tries'>,
): SignerReading {
  const [named] = references ?? []
  const chosen = offered
    .slice(0, MAX_OFFERED)
    .find((certificate) => named !== undefined && isNamedBy(certificate, named))
  const candidates = offered.slice(0, MAX_TRIED)
  const fits = ({ spki }: Certificate): boolean =>
    --budget.tries >= 0 && verifyDsigValue(signature, spki).kind === 'good'
  if (chosen !== undefined && named !== undefined)
    return withNamed(signature, { chosen, named }, () => candidates.some(fits))
  const fitting = candidates.find(fits) ?? null
  if (references !== null) {
    const code = fitting === null ? 'certificate-missing' : 'certificate-reference'
    return {
      certificate: fitting,
      faults: [{ code, detail: 'the certificate that the signature names is not there' }],
      findings: [],
    }
  }
  const certificate = fitting ?? candidates[0] ?? null
  if (certificate === null) return { certificate, faults: [NO_CERTIFICATE], findings: [] }
  return { certificate, faults: valueFaults(signature, certificate), findings: [] }
}

function withNamed(
  signature: DsigSignature,
  { chosen, named }: { chosen: Certificate; named: CertificateReference },
  fitsAnother: () => boolean,
): SignerReading {
  const findings: Finding[] = []
  if (named.digest === 'sha1') findings.push({ severity: 'info', code: 'weak-reference', detail: 'sha1' })
  if (named.fitsIssuer?.(chosen) === false)
    findings.push({
      severity: 'warning',
      code: 'weak-reference',
      detail: 'issuer and number are of another certificate',
    })
  const faults = valueFaults(signature, chosen)
  const isAnother = faults.some(({ code }) => code === 'value') && fitsAnother()
  const substituted: SignatureFault = { code: 'certificate-reference', detail: 'another certificate fits the value' }
  return { certificate: chosen, faults: isAnother ? [substituted] : faults, findings }
}

function valueFaults(signature: DsigSignature, { spki }: Certificate): SignatureFault[] {
  const verdict = verifyDsigValue(signature, spki)
  if (verdict.kind === 'good') return []
  if (verdict.kind === 'bad') return [{ code: 'value', detail: 'the value does not fit the certificate' }]
  return [{ code: 'algorithm', detail: `not known: ${verdict.algorithm}` }]
}

const MAX_OFFERED = 1000
const MAX_TRIED = 32
const NO_CERTIFICATE: SignatureFault = { code: 'certificate-missing', detail: 'no certificate is at hand' }
