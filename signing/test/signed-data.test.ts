import assert from 'node:assert/strict'
import { X509Certificate, createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { SigningError } from '../index.ts'
import type { SignatureAlgorithm, SigningKey } from '../index.ts'
import { checkSignedData } from '../cms/check-signed-data.ts'
import { contentHash, signDigest, signedDataBytes } from '../cms/signed-data.ts'
import { programsFor, run } from './programs.ts'
import { NOW, trialKey } from './trial-key.ts'

const ALGORITHMS: SignatureAlgorithm[] = [
  'rsa-pkcs1-sha256',
  'rsa-pkcs1-sha384',
  'rsa-pkcs1-sha512',
  'rsa-pss-sha256',
  'rsa-pss-sha384',
  'rsa-pss-sha512',
]
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
    it(`makes what checkSignedData finds good, with ${algorithm}`, async () => {
      const cms = await signed(algorithm, null)
      assert.equal(cms.length, signedDataBytes(await keyFor(algorithm)))
      const result = await checkSignedData(cms, digestOf)
      assert.equal(result.kind, 'good')
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

describe('OpenSSL', () => {
  if (!programsFor('CMS before OpenSSL', 'openssl')) return

  it('verifies every algorithm as CAdES', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'amtsbote-cms-'))
    const at = (name: string): string => join(folder, name)
    await writeFile(at('content'), CONTENT)
    await writeFile(at('ca.pem'), new X509Certificate((await trialKey()).certificate).toString())
    for (const algorithm of ALGORITHMS) {
      await writeFile(at('cms'), await signed(algorithm, NOW))
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
      assert.equal(good.code, 0, `${algorithm}: ${good.output}`)
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

describe('checkSignedData', () => {
  it('tells a changed content from a changed signature and from another certificate', async () => {
    const cms = await signed('rsa-pkcs1-sha256', null)
    const other = (hash: string): Promise<Buffer> => Promise.resolve(createHash(hash).update('anderes').digest())
    assert.deepEqual(await checkSignedData(cms, other), { kind: 'bad', reason: 'digest' })
    const flipped = Buffer.from(cms)
    flipped[cms.length - 1] = (flipped[cms.length - 1] ?? 0) ^ 1
    assert.deepEqual(await checkSignedData(flipped, digestOf), { kind: 'bad', reason: 'signature' })
    const { certificate } = await trialKey()
    const swapped = Buffer.from(cms)
    const at = cms.indexOf(certificate) + certificate.length - 1
    swapped[at] = (swapped[at] ?? 0) ^ 1
    assert.deepEqual(await checkSignedData(swapped, digestOf), { kind: 'bad', reason: 'certificate' })
  })

  it('tolerates zero bytes after the structure and nothing else', async () => {
    const cms = await signed('rsa-pkcs1-sha256', null)
    assert.equal((await checkSignedData(Buffer.concat([cms, Buffer.alloc(9)]), digestOf)).kind, 'good')
    assert.equal((await checkSignedData(Buffer.concat([cms, Buffer.from([0, 1])]), digestOf)).kind, 'bad')
  })

  it('finds no changed bit good', async () => {
    const cms = await signed('rsa-pss-sha256', null)
    for (let at = 0; at < cms.length; at++) {
      const changed = Buffer.from(cms)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      const result = await checkSignedData(changed, digestOf).catch((error: unknown) => {
        assert.ok(error instanceof SigningError, `byte ${at}`)
        return { kind: 'bad' }
      })
      assert.equal(result.kind, 'bad', `byte ${at}`)
    }
  }).timeout(20_000)

  it('answers any bytes with a verdict', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
        assert.deepEqual(await checkSignedData(Buffer.from(bytes), digestOf), { kind: 'bad', reason: 'unknown' })
      }),
    ))
})
