import assert from 'node:assert/strict'
import {
  X509Certificate,
  constants,
  createPrivateKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  verify,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as der from '../asn1/der.ts'
import { SigningError, makeTrialIdentity, openPkcs12, readCertificate } from '../index.ts'
import type { SignatureAlgorithm, TrialRequest } from '../index.ts'
import { PKCS12, pkcs12Mac } from '../keys/pkcs12-format.ts'
import { writePkcs12 } from '../keys/pkcs12-writer.ts'
import { programsFor, run } from './programs.ts'
import { EXTENSIONS, issue } from './support/test-certificates.ts'
import type { Holder } from './support/test-certificates.ts'
import { NOW, PASSPHRASE, trialKey } from './trial-key.ts'

const REQUEST: TrialRequest = {
  commonName: 'Prüfstelle',
  organisation: 'Übungsstadt',
  usage: 'authority',
  passphrase: PASSPHRASE,
  now: NOW,
  random: randomBytes,
}

function ecHolder(commonName: string, namedCurve = 'prime256v1'): Holder {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve })
  const validity = { from: new Date('2026-01-01'), until: new Date('2028-01-01') }
  return issue({ commonName, key, issuer: null, ...validity, extensions: EXTENSIONS.signer() })
}

/** A key file as key stores of Java write them: a key, its certificate and a name for each (RFC 7292 §4.2). */
function fileOfSeveral(entries: { key: KeyObject; certificate: Buffer; alias: string }[]): Buffer {
  const data = (content: Buffer) => der.sequence(der.oid(PKCS12.data), der.encode(0xa0, der.octetString(content)))
  const bags = entries.flatMap(({ key, certificate, alias }) => {
    const name = der.encode(0x1e, Buffer.from(alias, 'utf16le').swap16())
    const attributes = der.setOf(der.sequence(der.oid(PKCS12.friendlyName), der.setOf(name)))
    const x509 = der.sequence(der.oid(PKCS12.x509Certificate), der.encode(0xa0, der.octetString(certificate)))
    const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
    return [
      der.sequence(der.oid(PKCS12.keyBag), der.encode(0xa0, pkcs8), attributes),
      der.sequence(der.oid(PKCS12.certificateBag), der.encode(0xa0, x509), attributes),
    ]
  })
  const safe = der.sequence(data(der.sequence(...bags)))
  const salt = randomBytes(8)
  const mac = pkcs12Mac(safe, PASSPHRASE, { hash: { name: 'sha256', blockBytes: 64 }, salt, iterations: 1 })
  const digest = der.sequence(der.sequence(der.oid(PKCS12.sha256), der.derNull()), der.octetString(mac))
  return der.sequence(der.integer(3), data(safe), der.sequence(digest, der.octetString(salt)))
}

describe('a PKCS#12 key file', () => {
  it('opens with its passphrase and signs under every algorithm', async () => {
    const { signing, certificate } = await trialKey()
    const { publicKey } = new X509Certificate(certificate)
    const message = Buffer.from('Bescheid')
    const algorithms: [SignatureAlgorithm, string, number][] = [
      ['rsa-pkcs1-sha256', 'sha256', constants.RSA_PKCS1_PADDING],
      ['rsa-pkcs1-sha384', 'sha384', constants.RSA_PKCS1_PADDING],
      ['rsa-pkcs1-sha512', 'sha512', constants.RSA_PKCS1_PADDING],
      ['rsa-pss-sha256', 'sha256', constants.RSA_PKCS1_PSS_PADDING],
      ['rsa-pss-sha384', 'sha384', constants.RSA_PKCS1_PSS_PADDING],
      ['rsa-pss-sha512', 'sha512', constants.RSA_PKCS1_PSS_PADDING],
    ]
    for (const [algorithm, hash, padding] of algorithms) {
      const [first, second] = await signing.sign([message, Buffer.from('anderes')], algorithm)
      const key = { key: publicKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      assert.equal(first?.length, signing.signatureBytes)
      assert.ok(verify(hash, message, key, first), algorithm)
      assert.ok(verify(hash, Buffer.from('anderes'), key, second ?? Buffer.alloc(0)), algorithm)
    }
  })

  it('does not open with another passphrase', async () => {
    const { pkcs12 } = await trialKey()
    for (const wrong of ['', `${PASSPHRASE} `, PASSPHRASE.toUpperCase(), 'ü'.repeat(500)]) {
      await assert.rejects(openPkcs12(pkcs12, wrong), { name: 'SigningError', code: 'signing/bad-passphrase' })
    }
  })

  it('is refused when it is cut off or is something else', async () => {
    const { pkcs12 } = await trialKey()
    for (const length of [0, 1, 2, 100, pkcs12.length - 1]) {
      await assert.rejects(openPkcs12(pkcs12.subarray(0, length), PASSPHRASE), { code: 'signing/key-file-damaged' })
    }
    await assert.rejects(openPkcs12(Buffer.alloc(2 * 1024 * 1024), PASSPHRASE), { code: 'signing/key-file-damaged' })
  })

  it('answers any bytes with one of two codes', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await assert.rejects(openPkcs12(Buffer.from(bytes), 'x'), (error) => {
          assert.ok(error instanceof SigningError)
          return ['signing/key-file-damaged', 'signing/bad-passphrase'].includes(error.code)
        })
      }),
    ))

  it('with any byte changed opens the same key or none', async () => {
    const { pkcs12, signing } = await trialKey()
    const message = [Buffer.from('x')]
    const expected = await signing.sign(message)
    await fc.assert(
      // not the count of iterations, the last five bytes: a larger one is waiting, not a result
      fc.asyncProperty(fc.nat(pkcs12.length - 6), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(pkcs12)
        changed[at] = (changed[at] ?? 0) ^ change
        try {
          assert.deepEqual(await (await openPkcs12(changed, PASSPHRASE)).signing.sign(message), expected)
        } catch (error) {
          assert.ok(error instanceof SigningError, String(error))
        }
      }),
      { numRuns: 25 },
    )
  }).timeout(60_000)

  it('with a key of another certificate is refused', async () => {
    const { certificate } = await trialKey()
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const file = await writePkcs12({ privateKey, chain: [certificate], passphrase: PASSPHRASE, random: randomBytes })
    await assert.rejects(openPkcs12(file, PASSPHRASE), { code: 'signing/key-file-damaged' })
  })

  it('with a key on a curve that is not used here is refused with a reason, not an exception from below', async () => {
    const { certificate } = await trialKey()
    for (const options of [{ namedCurve: 'secp256k1' }, { namedCurve: 'secp224r1' }]) {
      const { privateKey } = generateKeyPairSync('ec', options)
      const file = await writePkcs12({ privateKey, chain: [certificate], passphrase: PASSPHRASE, random: randomBytes })
      await assert.rejects(openPkcs12(file, PASSPHRASE), { code: 'signing/key-file-damaged' })
    }
  })

  it('with several keys opens the one of a name', async () => {
    const holders = [ecHolder('Siegel Bürgerbüro'), ecHolder('Siegel Standesamt')]
    const file = fileOfSeveral(
      holders.map(({ key, certificate }, at) => ({ key, certificate, alias: `Schlüssel ${at}` })),
    )
    for (const [at, { certificate }] of holders.entries()) {
      const { signing, decryption } = await openPkcs12(file, PASSPHRASE, { alias: `Schlüssel ${at}` })
      assert.deepEqual(signing.certificateChain, [certificate])
      assert.equal(decryption, null)
    }
    for (const choice of [{}, { alias: 'Schlüssel 2' }, { alias: '' }]) {
      await assert.rejects(openPkcs12(file, PASSPHRASE, choice), { code: 'signing/key-file-damaged' })
    }
  })

  it('signs with what it is told to, if the key can', async () => {
    const { pkcs12 } = await trialKey()
    const { signing } = await openPkcs12(pkcs12, PASSPHRASE, { algorithm: 'rsa-pss-sha256' })
    assert.equal(signing.algorithm, 'rsa-pss-sha256')
    const refused = openPkcs12(pkcs12, PASSPHRASE, { algorithm: 'ecdsa-sha256' })
    await assert.rejects(refused, { code: 'signing/algorithm-refused' })
  })
})

describe('key files of other programs', () => {
  if (!programsFor('key files before OpenSSL', 'openssl')) return
  let folder = ''
  const at = (name: string): string => join(folder, name)

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'amtsbote-keys-'))
    const { pkcs12 } = await trialKey()
    await writeFile(at('ours.p12'), pkcs12)
    const opened = await run(
      'openssl',
      'pkcs12',
      '-in',
      at('ours.p12'),
      '-passin',
      `pass:${PASSPHRASE}`,
      '-nodes',
      '-out',
      at('all.pem'),
    )
    assert.equal(opened.code, 0, opened.output)
  })
  after(() => rm(folder, { recursive: true }))

  async function exported(...how: string[]): Promise<Buffer> {
    const files = ['-in', at('all.pem'), '-out', at('theirs.p12')]
    const made = await run('openssl', 'pkcs12', '-export', ...files, '-passout', `pass:${PASSPHRASE}`, ...how)
    assert.equal(made.code, 0, made.output)
    return readFile(at('theirs.p12'))
  }

  it('open here: modern, with SHA-1 and 3DES, with RC2, and without encryption of the certificates', async () => {
    const { certificate } = await trialKey()
    const kinds = [
      [],
      ['-macalg', 'sha512', '-iter', '1000'],
      ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-192-CBC', '-macalg', 'sha1'],
      ['-certpbe', 'NONE'],
      ['-legacy'],
      ['-legacy', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES'],
    ]
    for (const how of kinds) {
      const file = await exported(...how)
      const { signing } = await openPkcs12(file, PASSPHRASE)
      assert.ok(signing.certificateChain[0].equals(certificate), how.join(' '))
      await assert.rejects(openPkcs12(file, 'falsch'), { code: 'signing/bad-passphrase' }, how.join(' '))
    }
  }).timeout(20_000)

  it('with keys on elliptic curves open here: modern and old', async () => {
    for (const curve of [
      'prime256v1',
      'secp384r1',
      'secp521r1',
      'brainpoolP256r1',
      'brainpoolP384r1',
      'brainpoolP512r1',
    ]) {
      const { key, certificate } = ecHolder(`Siegel ${curve}`, curve)
      const pem = `${String(key.export({ type: 'pkcs8', format: 'pem' }))}${new X509Certificate(certificate).toString()}`
      await writeFile(at('all.pem'), pem)
      for (const how of [[], ['-legacy'], ['-name', 'Siegel']]) {
        const { signing } = await openPkcs12(await exported(...how), PASSPHRASE)
        assert.deepEqual(signing.certificateChain, [certificate], `${curve} ${how.join(' ')}`)
        const [value = Buffer.alloc(0)] = await signing.sign([Buffer.from('Bescheid')])
        const hash = signing.algorithm.slice(-6)
        assert.ok(verify(hash, Buffer.from('Bescheid'), new X509Certificate(certificate).publicKey, value))
      }
    }
  }).timeout(20_000)

  it('find our certificates in order: chain, usages, names', async () => {
    const authority = await makeTrialIdentity(REQUEST)
    const issuer = { pkcs12: authority.pkcs12, passphrase: PASSPHRASE }
    const leaf = await makeTrialIdentity({ ...REQUEST, usage: 'osci-signature', commonName: 'Postfach', issuer })
    await writeFile(at('ca.pem'), new X509Certificate(authority.certificate).toString())
    await writeFile(at('leaf.pem'), new X509Certificate(leaf.certificate).toString())
    const judged = await run(
      'openssl',
      'verify',
      '-x509_strict',
      '-CAfile',
      at('ca.pem'),
      '-attime',
      String(NOW.getTime() / 1000),
      at('leaf.pem'),
    )
    assert.equal(judged.code, 0, judged.output)
    const { signing } = await openPkcs12(leaf.pkcs12, PASSPHRASE)
    assert.deepEqual(signing.certificateChain, [leaf.certificate, authority.certificate])
    assert.equal(readCertificate(leaf.certificate).issuerName, 'Prüfstelle')
  }).timeout(30_000)
})

describe('a decryption key', () => {
  const content = Buffer.from('0123456789abcdef0123456789abcdef')
  const wrap = async (padding: number, oaepHash?: string): Promise<Buffer> => {
    const key = new X509Certificate((await trialKey()).certificate).publicKey
    return publicEncrypt({ key, padding, ...(oaepHash === undefined ? {} : { oaepHash }) }, content)
  }

  for (const hash of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
    it(`opens RSA-OAEP with ${hash}, and nothing of another hash`, async () => {
      const { decryption } = await trialKey()
      const wrapped = await wrap(constants.RSA_PKCS1_OAEP_PADDING, hash)
      assert.deepEqual(await decryption.unwrap(wrapped, { kind: 'rsa-oaep', hash }), content)
      const other = hash === 'sha256' ? 'sha512' : 'sha256'
      const failed = { name: 'SigningError', code: 'signing/unwrap-failed' }
      await assert.rejects(decryption.unwrap(wrapped, { kind: 'rsa-oaep', hash: other }), failed)
      await assert.rejects(decryption.unwrap(wrapped.subarray(1), { kind: 'rsa-oaep', hash }), failed)
    })
  }

  it('opens RSAES-PKCS1-v1_5', async () => {
    const { decryption } = await trialKey()
    const wrapped = await wrap(constants.RSA_PKCS1_PADDING)
    assert.deepEqual(await decryption.unwrap(wrapped, { kind: 'rsa-1_5', keyBytes: 32 }), content)
  })

  it('answers wrong padding with a key that is always the same and never an error', async () => {
    const { decryption } = await trialKey()
    const wrapped = await wrap(constants.RSA_PKCS1_OAEP_PADDING, 'sha256')
    const first = await decryption.unwrap(wrapped, { kind: 'rsa-1_5', keyBytes: 32 })
    const second = await decryption.unwrap(wrapped, { kind: 'rsa-1_5', keyBytes: 32 })
    assert.equal(first.length, 32)
    assert.deepEqual(first, second)
    const short = await decryption.unwrap(await wrap(constants.RSA_PKCS1_PADDING), { kind: 'rsa-1_5', keyBytes: 24 })
    assert.equal(short.length, 24)
    assert.ok(!content.includes(short))
  })
})

describe('a trial identity', () => {
  it('says in its certificate that it is one', async () => {
    const { certificate, signing } = await trialKey()
    const facts = readCertificate(certificate)
    assert.equal(facts.kind, 'trial')
    assert.equal(signing.kind, 'trial')
    assert.equal(facts.commonName, 'Siegel Übungsstadt')
    assert.equal(facts.organisation, 'Übungsstadt')
    assert.deepEqual(facts.key, { kind: 'rsa', bits: 3072 })
    assert.deepEqual([...(facts.keyUsage ?? [])], ['digitalSignature', 'nonRepudiation'])
    assert.equal(facts.notBefore.toISOString(), '2026-11-23T09:00:00.000Z')
    assert.equal(facts.notAfter.toISOString(), '2029-11-22T10:00:00.000Z')
  })

  it('needs names that fit into a certificate, and a passphrase', async () => {
    const bad = { code: 'signing/bad-text' }
    await assert.rejects(makeTrialIdentity({ ...REQUEST, commonName: ' ' }), bad)
    await assert.rejects(makeTrialIdentity({ ...REQUEST, organisation: 'x'.repeat(65) }), bad)
    await assert.rejects(makeTrialIdentity({ ...REQUEST, passphrase: 'kurz' }), bad)
  })

  it('never shows its private key outside of the key file', async () => {
    const { pkcs12, signing } = await trialKey()
    assert.ok(!JSON.stringify(signing).includes('PRIVATE'))
    assert.throws(() => createPrivateKey({ key: pkcs12, format: 'der', type: 'pkcs8' }))
  })
})
