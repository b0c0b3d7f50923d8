import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { softwareSigningKey } from '../keys/software-key.ts'
import { EXTENSIONS, issue } from './support/test-certificates.ts'
import { NOW, ecSigningKey, trialKey } from './trial-key.ts'
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

describe('a software key', () => {
  it('is not opened with the certificate of another key', async () => {
    const { signing } = await trialKey()
    const strangers = [
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
    ]
    for (const { privateKey } of strangers) {
      assert.throws(() => softwareSigningKey(privateKey, signing.certificateChain), {
        code: 'signing/key-file-damaged',
      })
    }
    const [certificate] = ecSigningKey('prime256v1').certificateChain
    for (const { privateKey } of strangers) {
      assert.throws(() => softwareSigningKey(privateKey, [certificate]), { code: 'signing/key-file-damaged' })
    }
  })

  it('is not opened when it is damaged inside and still has the right public part', () => {
    const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const { privateKey: other } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const { certificate } = issue({
      ...{ commonName: 'Siegel', key, issuer: null, extensions: EXTENSIONS.signer() },
      ...{ from: NOW, until: NOW },
    })
    const { n = '', e = '' } = key.export({ format: 'jwk' })
    const damaged = createPrivateKey({ key: { ...other.export({ format: 'jwk' }), n, e }, format: 'jwk' })
    assert.throws(() => softwareSigningKey(damaged, [certificate]), { code: 'signing/key-file-damaged' })
    assert.ok(softwareSigningKey(key, [certificate]))
  })
})
