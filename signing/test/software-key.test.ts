import { ecSigningKey, trialKey } from './trial-key.ts'
import { RSA_ALGORITHMS, signingKeySuite } from './suites/signing-key.suite.ts'

signingKeySuite('a PKCS#12 file with RSA', RSA_ALGORITHMS, trialKey)
const CURVES = [
  ['prime256v1', ['ecdsa-sha256', 'ecdsa-sha384', 'ecdsa-sha512']],
  ['secp384r1', ['ecdsa-sha384', 'ecdsa-sha512']],
  ['brainpoolP512r1', ['ecdsa-sha512']],
] as const
for (const [curve, algorithms] of CURVES) {
  signingKeySuite(`a key on ${curve}`, algorithms, () => Promise.resolve({ signing: ecSigningKey(curve) }))
}
