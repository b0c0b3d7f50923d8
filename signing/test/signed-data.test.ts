import assert from 'node:assert/strict'
import { X509Certificate, createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as der from '../asn1/der.ts'
import type { SignatureAlgorithm, SigningKey } from '../index.ts'
import { contentHash, signDigest, signedDataBytes } from '../cms/signed-data.ts'
import { programsFor, run } from './programs.ts'
import { NOW, ecSigningKey, trialKey } from './trial-key.ts'
import { signerOf } from './support/cms-state.ts'

const ALGORITHMS: SignatureAlgorithm[] = [
  'rsa-pkcs1-sha256',
  'rsa-pkcs1-sha384',
  'rsa-pkcs1-sha512',
  'rsa-pss-sha256',
  'rsa-pss-sha384',
  'rsa-pss-sha512',
]
const CURVES = [
  ['prime256v1', 'sha256'],
  ['secp384r1', 'sha384'],
  ['secp521r1', 'sha512'],
  ['brainpoolP256r1', 'sha256'],
  ['brainpoolP384r1', 'sha384'],
  ['brainpoolP512r1', 'sha512'],
] as const
const CONTENT = Buffer.from('Der Bescheid ist bestandskräftig.')
const digestOf = (hash: string): Promise<Buffer> => Promise.resolve(createHash(hash).update(CONTENT).digest())

async function keyFor(algorithm: SignatureAlgorithm): Promise<SigningKey> {
  const { signing } = await trialKey()
  return { ...signing, algorithm, sign: (messages) => signing.sign(messages, algorithm) }
}

async function signed(algorithm: SignatureAlgorithm, signingTime: Date | null): Promise<Buffer> {
  const key = await keyFor(algorithm)
  return signDigest(await digestOf(contentHash(key)), key, signingTime)
}

describe('signDigest', () => {
  for (const algorithm of ALGORITHMS) {
    it(`makes what holds, with ${algorithm}`, async () => {
      const cms = await signed(algorithm, null)
      assert.equal(cms.length, signedDataBytes(await keyFor(algorithm)))
      assert.deepEqual(await signerOf(cms, CONTENT), (await keyFor(algorithm)).certificateChain[0])
    })
  }

  it('leaves the signing time out unless it is given one', async () => {
    const attribute = Buffer.from('06092a864886f70d010905', 'hex') // 1.2.840.113549.1.9.5
    assert.ok(!(await signed('rsa-pkcs1-sha256', null)).includes(attribute))
    assert.ok((await signed('rsa-pkcs1-sha256', NOW)).includes(attribute))
  })

  it('refuses a key that answers with too few bytes', async () => {
    const key = await keyFor('rsa-pkcs1-sha256')
    const short = { ...key, sign: () => Promise.resolve([Buffer.alloc(10)]) }
    await assert.rejects(signDigest(Buffer.alloc(32), short, null), { code: 'signing/signature-failed' })
    const silent = { ...key, sign: () => Promise.resolve([]) }
    await assert.rejects(signDigest(Buffer.alloc(32), silent, null), { code: 'signing/signature-failed' })
  })
})

describe('signDigest with elliptic-curve keys', () => {
  for (const [curve, hash] of CURVES) {
    it(`on ${curve} digests with ${hash} and is found good, whatever the length of its values`, async () => {
      const key = ecSigningKey(curve)
      assert.equal(key.algorithm, `ecdsa-${hash}`)
      const lengths = new Set<number>()
      for (let round = 0; round < 40; round++) {
        const cms = await signDigest(await digestOf(contentHash(key)), key, null)
        lengths.add(cms.length)
        assert.ok(cms.length <= signedDataBytes(key))
        assert.deepEqual(await signerOf(cms, CONTENT), key.certificateChain[0])
        assert.equal(der.decode(cms).encoding.length, cms.length)
      }
      assert.ok(lengths.size > 1)
    })
  }

  it('does not digest with less than the curve is worth', async () => {
    const sign = (curve: string, algorithm: SignatureAlgorithm) => ecSigningKey(curve).sign([CONTENT], algorithm)
    await assert.rejects(sign('secp384r1', 'ecdsa-sha256'), { code: 'signing/algorithm-refused' })
    await assert.rejects(sign('prime256v1', 'rsa-pkcs1-sha256'), { code: 'signing/algorithm-refused' })
    assert.equal((await sign('prime256v1', 'ecdsa-sha512')).length, 1)
  })
})

describe('OpenSSL', () => {
  if (!programsFor('CMS before OpenSSL', 'openssl')) return

  it('verifies every algorithm as CAdES', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'amtsbote-cms-'))
    const at = (name: string): string => join(folder, name)
    await writeFile(at('content'), CONTENT)
    const keys = [...(await Promise.all(ALGORITHMS.map(keyFor))), ...CURVES.map(([curve]) => ecSigningKey(curve))]
    for (const key of keys) {
      await writeFile(at('ca.pem'), new X509Certificate(key.certificateChain[0]).toString())
      await writeFile(at('cms'), await signDigest(await digestOf(contentHash(key)), key, NOW))
      const verify = [
        'cms',
        '-verify',
        '-cades',
        '-binary',
        '-inform',
        'DER',
        '-in',
        at('cms'),
        '-content',
        at('content'),
      ]
      const good = await run('openssl', ...verify, '-CAfile', at('ca.pem'), '-purpose', 'any', '-out', at('out'))
      assert.equal(good.code, 0, `${key.algorithm}: ${good.output}`)
      const printed = await run('openssl', 'cms', '-cmsout', '-print', '-inform', 'DER', '-in', at('cms'))
      for (const part of [
        'signingTime',
        'id-smime-aa-signingCertificateV2',
        'eContent: <ABSENT>',
        'unsignedAttrs:\n          <ABSENT>',
      ]) {
        assert.ok(printed.output.includes(part), part)
      }
    }
    await rm(folder, { recursive: true })
  }).timeout(20_000)
})

describe('a signature of ours', () => {
  it('does not hold over another content, with another value, or with another certificate', async () => {
    const cms = await signed('rsa-pkcs1-sha256', null)
    assert.deepEqual(await signerOf(cms, Buffer.from('anderes')), ['digest'])
    const flipped = Buffer.from(cms)
    flipped[cms.length - 1] = (flipped[cms.length - 1] ?? 0) ^ 1
    assert.deepEqual(await signerOf(flipped, CONTENT), ['value'])
    const { certificate } = await trialKey()
    const swapped = Buffer.from(cms)
    const at = cms.indexOf(certificate) + certificate.length - 1
    swapped[at] = (swapped[at] ?? 0) ^ 1
    assert.deepEqual(await signerOf(swapped, CONTENT), ['certificate-reference'])
  })
})
