/**
 * Format, identification of the signing certificate, validation context, cryptographic verification and acceptance of
 * one signature (ETSI EN 319 102-1 §5.2.2 to §5.2.4, §5.2.7, §5.2.8), from the facts of its reader.
 */
import { KEY_PURPOSE } from '../cms/oids.ts'
import type { Certificate } from '../trust/certificate.ts'
import { missed, passed } from './checks.ts'
import type { SignatureFacts, SignatureFault, SignatureFaultCode } from './facts.ts'
import type { ConstraintReport, SubIndication } from './report.ts'

/** Everything about the signature that needs no trust; all that does not hold is named. */
export function basicConstraints(facts: SignatureFacts): ConstraintReport[] {
  const checks = CHECKS.flatMap((check) => {
    const faults = facts.faults.filter(({ code }) => check.codes.includes(code))
    const { block, name } = check
    if (faults.length === 0) return [passed({ block, name })]
    return faults.map((fault) => missed({ block, name }, subOf(fault, facts), fault.detail))
  })
  const isNamed = facts.certificate !== null || facts.faults.length > 0
  const nobody = { block: 'certificate', name: 'signing-certificate-found' } as const
  const found = isNamed ? [] : [missed(nobody, 'NO_SIGNING_CERTIFICATE_FOUND', 'no certificate fits')]
  return [...checks, ...found, ...signingTime(facts)]
}

/** CAdES and XAdES demand a claimed time (ETSI EN 319 122-1 §5.2.1, EN 319 132-1 §5.2.1), as validators of others do. */
function signingTime({ form, claimed, faults }: SignatureFacts): ConstraintReport[] {
  const isReadable = !faults.some(({ code }) => code === 'format')
  if (form === 'PAdES' || claimed.time !== null || !isReadable) return []
  return [
    missed({ block: 'acceptance', name: 'signing-time' }, 'SIG_CONSTRAINTS_FAILURE', 'no signing time is claimed'),
  ]
}

/** What the signing certificate must and must not be for (ETSI EN 319 412-2 §4.3.2, EN 319 412-3). */
export function usageConstraints(certificate: Certificate): ConstraintReport[] {
  const { keyUsage, extendedKeyUsage, sha256 } = certificate
  const about = (name: string) => ({ block: 'chain', name, subject: sha256 }) as const
  const signs = keyUsage === null || keyUsage.has('digitalSignature') || keyUsage.has('nonRepudiation')
  const purposes = [...(extendedKeyUsage ?? [])]
  const isForOther = purposes.length > 0 && purposes.every((purpose) => OTHER_PURPOSES.has(purpose))
  return [
    signs
      ? passed(about('key-usage'))
      : missed(about('key-usage'), 'CHAIN_CONSTRAINTS_FAILURE', 'the key is not for signatures'),
    ...(isForOther
      ? [missed(about('extended-key-usage'), 'CHAIN_CONSTRAINTS_FAILURE', 'for another purpose only')]
      : []),
  ]
}

/** An authority's certificate signs certificates; whoever trusts it as such does not trust it as a signer. */
export function authorityAsSigner(certificate: Certificate): ConstraintReport[] {
  if (!certificate.isCa) return []
  const checked = { block: 'chain', name: 'no-authority', subject: certificate.sha256 } as const
  return [missed(checked, 'CHAIN_CONSTRAINTS_FAILURE', 'the certificate of an authority')]
}

interface Check {
  codes: readonly SignatureFaultCode[]
  block: ConstraintReport['block']
  name: string
}

/** In the order of the building blocks. */
const CHECKS: readonly Check[] = [
  { codes: ['format'], block: 'format', name: 'format' },
  { codes: ['forbidden-change'], block: 'format', name: 'changes-allowed' },
  { codes: ['certificate-missing'], block: 'certificate', name: 'signing-certificate-found' },
  { codes: ['certificate-reference'], block: 'certificate', name: 'signing-certificate-reference' },
  { codes: ['policy-missing'], block: 'context', name: 'signature-policy' },
  { codes: ['data-missing'], block: 'crypto', name: 'signed-data-found' },
  { codes: ['digest'], block: 'crypto', name: 'signed-data-intact' },
  { codes: ['algorithm'], block: 'crypto', name: 'algorithm-known' },
  { codes: ['value'], block: 'crypto', name: 'signature-value' },
  { codes: ['constraints'], block: 'acceptance', name: 'signature-constraints' },
]

const SUBS: Readonly<Record<SignatureFaultCode, SubIndication>> = {
  format: 'FORMAT_FAILURE',
  'forbidden-change': 'FORMAT_FAILURE',
  'certificate-missing': 'NO_SIGNING_CERTIFICATE_FOUND',
  'certificate-reference': 'NO_SIGNING_CERTIFICATE_FOUND',
  'policy-missing': 'SIGNATURE_POLICY_NOT_AVAILABLE',
  'data-missing': 'SIGNED_DATA_NOT_FOUND',
  digest: 'HASH_FAILURE',
  algorithm: 'CRYPTO_CONSTRAINTS_FAILURE',
  value: 'SIG_CRYPTO_FAILURE',
  constraints: 'SIG_CONSTRAINTS_FAILURE',
}

/** With a digest that nobody knows, the signed data cannot be told from others: they are not found. */
function subOf({ code }: SignatureFault, { algorithms }: SignatureFacts): SubIndication {
  const isDigest = code === 'algorithm' && algorithms.some(({ use }) => !('signature' in use) && use.digest === null)
  return isDigest ? 'SIGNED_DATA_NOT_FOUND' : SUBS[code]
}

/** web servers, time-stamps and answers of OCSP (RFC 5280 §4.2.1.12): who signs so signs nothing else */
const OTHER_PURPOSES: ReadonlySet<string> = new Set([
  '1.3.6.1.5.5.7.3.1',
  KEY_PURPOSE.timeStamping,
  KEY_PURPOSE.ocspSigning,
])
