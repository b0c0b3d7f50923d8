/** What every SigningKey must do, whatever holds the key. */
import assert from 'node:assert/strict'
import { X509Certificate, constants, createHash, verify } from 'node:crypto'
import { contentHash, signDigest, signedDataBytes } from '../../cms/signed-data.ts'
import { SHA256, SigningError, composeSignature, parseXml, readCertificate } from '../../index.ts'
import { readSignature, signatureValueHolds, xmlDigest } from '../../index.ts'
import type { SignatureAlgorithm, SigningKey } from '../../index.ts'
import { signerOf } from '../support/cms-state.ts'

export interface SuiteKey {
  signing: SigningKey
  close?: () => Promise<void>
}

/** @param can algorithms that the key can do; the first is what it uses unless told otherwise */
export function signingKeySuite(
  name: string,
  can: readonly [SignatureAlgorithm, ...SignatureAlgorithm[]],
  open: () => Promise<SuiteKey>,
): void {
  describe(`${name} as a signing key`, function () {
    this.timeout(60_000)
    let key: SuiteKey
    before(async () => {
      key = await open()
    })
    after(async () => {
      await key.close?.()
    })

    it('says what it is: certificate, kind, algorithm, length of its values', () => {
      const { certificateChain, kind, algorithm } = key.signing
      assert.equal(kind, readCertificate(certificateChain[0]).kind)
      assert.equal(algorithm, can[0])
      assert.ok(key.signing.signatureBytes > 60)
    })

    it('signs many messages in their order, and none when there is none', async () => {
      const messages = Array.from({ length: 20 }, (_, index) => Buffer.from(`Bescheid ${index}`))
      const values = await key.signing.sign(messages)
      assert.equal(values.length, messages.length)
      for (const [index, value] of values.entries()) {
        assert.ok(fits(key.signing, can[0], messages[index] ?? Buffer.alloc(0), value), `message ${index}`)
        assert.ok(value.length <= key.signing.signatureBytes)
      }
      assert.deepEqual(await key.signing.sign([]), [])
    })

    it('signs for many callers at once, each with its own algorithm', async () => {
      const calls = Array.from({ length: 40 }, async (_, index) => {
        const message = Buffer.from(`Aufruf ${index}`)
        const algorithm = can[index % can.length] ?? can[0]
        const [value = Buffer.alloc(0)] = await key.signing.sign([message], algorithm)
        assert.ok(fits(key.signing, algorithm, message, value), `${index}: ${algorithm}`)
      })
      await Promise.all(calls)
    })

    it('refuses what it cannot do', async () => {
      for (const algorithm of ALL.filter((one) => !can.includes(one))) {
        await assert.rejects(key.signing.sign([Buffer.from('x')], algorithm), (error) => {
          return error instanceof SigningError && error.code === 'signing/algorithm-refused'
        })
      }
    })

    it('makes CMS and XML signatures that hold', async () => {
      const content = Buffer.from('Inhalt')
      const digestOf = (hash: string): Promise<Buffer> => Promise.resolve(createHash(hash).update(content).digest())
      const cms = await signDigest(await digestOf(contentHash(key.signing)), key.signing, null)
      assert.ok(cms.length <= signedDataBytes(key.signing))
      const certificate = key.signing.certificateChain[0]
      assert.deepEqual(await signerOf(cms, content), certificate)

      const scope = ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
      const reference = {
        uri: '#x',
        transform: 'c14n',
        digestMethod: SHA256,
        digest: xmlDigest(SHA256, content),
      } as const
      const xml = await composeSignature(key.signing, { references: [reference], keyUri: '#k', scope })
      const limits = { maxBytes: 100_000, maxDepth: 20, maxElements: 100 }
      const parsed = parseXml(Buffer.from(xml.replace('<ds:Signature>', `<ds:Signature${scope}>`)), limits)
      assert.ok(signatureValueHolds(readSignature(parsed), certificate))
    })
  })
}

/** Judged by the library alone, apart from our own tables. */
function fits(
  { certificateChain }: SigningKey,
  algorithm: SignatureAlgorithm,
  message: Buffer,
  value: Buffer,
): boolean {
  const key = new X509Certificate(certificateChain[0]).publicKey
  const hash = algorithm.slice(-6)
  if (algorithm.startsWith('ecdsa')) return verify(hash, message, { key, dsaEncoding: 'der' }, value)
  const padding = algorithm.startsWith('rsa-pss') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  return verify(hash, message, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, value)
}

export const RSA_ALGORITHMS = [
  'rsa-pkcs1-sha256',
  'rsa-pkcs1-sha384',
  'rsa-pkcs1-sha512',
  'rsa-pss-sha256',
  'rsa-pss-sha384',
  'rsa-pss-sha512',
] as const
const ALL: readonly SignatureAlgorithm[] = [...RSA_ALGORITHMS, 'ecdsa-sha256', 'ecdsa-sha384', 'ecdsa-sha512']
