/**
 * May this key do this now? Asked before every use, because certificates run out and algorithms grow old.
 */
import { judgeSigningKey } from '../../policies/index.ts'
import { readCertificate } from '../certificate.ts'
import type { CertificateFacts } from '../certificate.ts'
import { SigningError } from '../errors.ts'
import type { SigningIdentity } from './signing-key.ts'

const facts = new WeakMap<SigningIdentity, CertificateFacts>()

/**
 * @returns what the certificate says
 * @throws SigningError `signing/key-unusable` not valid at `at`, not meant for signatures, or too weak by
 * policies/algorithms.ts
 */
export function checkUsable(key: SigningIdentity, at: Date): CertificateFacts {
  const certificate = facts.get(key) ?? readCertificate(key.certificateChain[0])
  facts.set(key, certificate)
  const { notBefore, notAfter, keyUsage } = certificate
  if (at < notBefore) throw unusable(`the certificate is valid from ${notBefore.toISOString()}`)
  if (at > notAfter) throw unusable(`the certificate was valid until ${notAfter.toISOString()}`)
  // RFC 5280 §4.2.1.3: either bit allows a signature on a document
  const allowed = keyUsage === null || keyUsage.has('digitalSignature') || keyUsage.has('nonRepudiation')
  if (!allowed) throw unusable('the certificate does not allow signatures')
  const { kind, bits } = certificate.key
  const verdict = kind === 'other' ? null : judgeSigningKey({ kind, bits }, at)
  if (verdict === null || verdict.kind === 'refused') throw unusable(`a key of ${bits} bits of this kind is too weak`)
  return certificate
}

/**
 * What a certificate claims about itself decides whether the authority may seal with it: a seal that is only advanced does
 * not replace the written form (§ 3a VwVfG) and needs a setting. Trial keys are for trials and named so.
 *
 * @throws SigningError `signing/key-not-qualified`
 */
export function checkSealKind(key: SigningIdentity, allowAdvanced: boolean): void {
  if (key.kind !== 'advanced' || allowAdvanced) return
  throw new SigningError('signing/key-not-qualified', 'the certificate of the seal key is not a qualified one')
}

function unusable(message: string): SigningError {
  return new SigningError('signing/key-unusable', message)
}
