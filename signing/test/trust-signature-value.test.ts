import assert from 'node:assert/strict'
import { constants, createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { derNull, encode, integer, oid, sequence } from '../asn1/der.ts'
import { algorithmFacts, verifyValue } from '../trust/signature-value.ts'
import type { ValueVerdict } from '../trust/signature-value.ts'

const message = Buffer.from('Bescheid')
const id = (dotted: string): Buffer => sequence(oid(dotted))
const spkiOf = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** Good as it is; bad with another message, a changed value and another key. */
function assertVerifies(algorithm: Buffer, pair: { publicKey: KeyObject }, value: Buffer, other: KeyObject): void {
  const spki = spkiOf(pair.publicKey)
  const kind = (signed: Buffer, signature: Buffer, key = spki): string =>
    verifyValue({ algorithm, spki: key, signed }, signature).kind
  const changed = Buffer.from(value)
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  assert.equal(kind(message, value), 'good')
  assert.equal(kind(Buffer.from('Bescheit'), value), 'bad')
  assert.equal(kind(message, changed), 'bad')
  assert.equal(kind(message, value, spkiOf(other)), 'bad')
  assert.equal(kind(message, Buffer.alloc(0)), 'bad')
}

describe('signature values', () => {
  it('verify for RSA PKCS#1 with digests of every family', () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
    const cases = {
      sha1: '1.2.840.113549.1.1.5',
      sha256: '1.2.840.113549.1.1.11',
      'sha3-384': '2.16.840.1.101.3.4.3.15',
    }
    for (const [digest, algorithm] of Object.entries(cases)) {
      const named = sequence(oid(algorithm), derNull())
      assertVerifies(named, rsa, sign(digest, message, rsa.privateKey), other)
    }
  })

  it('verify for RSA-PSS with any salt, and with another digest for the mask', () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
    const padding = constants.RSA_PKCS1_PSS_PADDING
    for (const saltLength of [0, 20, 32]) {
      assertVerifies(
        pss(SHA256, SHA256, saltLength),
        rsa,
        sign('sha256', message, { key: rsa.privateKey, padding, saltLength }),
        other,
      )
    }
    const bound = generateKeyPairSync('rsa-pss', {
      modulusLength: 2048,
      hashAlgorithm: 'sha256',
      mgf1HashAlgorithm: 'sha1',
    })
    assertVerifies(
      pss(SHA256, SHA1, 32),
      bound,
      sign('sha256', message, { key: bound.privateKey, saltLength: 32 }),
      other,
    )
    const value = sign('sha256', message, { key: rsa.privateKey, padding, saltLength: 32 })
    assert.equal(ask(pss(SHA256, SHA256, 20), rsa.publicKey, value).kind, 'bad')
  })

  it('verify for ECDSA on NIST and brainpool curves, as SEQUENCE and, where the identifier says so, as r‖s', () => {
    for (const namedCurve of ['P-256', 'P-384', 'P-521', 'brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1']) {
      const pair = generateKeyPairSync('ec', { namedCurve })
      const der = sign('sha384', message, pair.privateKey)
      const plain = sign('sha384', message, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
      const other = generateKeyPairSync('ec', { namedCurve }).publicKey
      assertVerifies(id('1.2.840.10045.4.3.3'), pair, der, other)
      assertVerifies(id('0.4.0.127.0.7.1.1.4.1.4'), pair, plain, other)
      assert.equal(ask(id('1.2.840.10045.4.3.3'), pair.publicKey, plain).kind, 'bad')
      assert.equal(ask(id('0.4.0.127.0.7.1.1.4.1.4'), pair.publicKey, der).kind, 'bad')
    }
  })

  it('verify for EdDSA', () => {
    const ed25519 = generateKeyPairSync('ed25519')
    const ed448 = generateKeyPairSync('ed448')
    assertVerifies(
      id('1.3.101.112'),
      ed25519,
      sign(null, message, ed25519.privateKey),
      generateKeyPairSync('ed25519').publicKey,
    )
    assertVerifies(
      id('1.3.101.113'),
      ed448,
      sign(null, message, ed448.privateKey),
      generateKeyPairSync('ed448').publicKey,
    )
  })

  it('verify for RSA over a digest alone', () => {
    const digest = createHash('sha256').update(message).digest()
    const spki = spkiOf(rsa.publicKey)
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const pkcs1 = { algorithm: id('1.2.840.113549.1.1.11'), value: sign('sha256', message, rsa.privateKey) }
    const salted = {
      algorithm: pss(SHA256, SHA256, 32),
      value: sign('sha256', message, { key: rsa.privateKey, padding, saltLength: 32 }),
    }
    for (const { algorithm, value } of [pkcs1, salted]) {
      assert.equal(verifyValue({ algorithm, spki, signed: { digest } }, value).kind, 'good')
      const wrong = createHash('sha256').update('x').digest()
      assert.equal(verifyValue({ algorithm, spki, signed: { digest: wrong } }, value).kind, 'bad')
      assert.equal(verifyValue({ algorithm, spki, signed: { digest: digest.subarray(1) } }, value).kind, 'bad')
    }
  })

  it('take the digest from its own field where the signature leaves it open, and refuse contradictions', () => {
    const value = sign('sha256', message, rsa.privateKey)
    const spki = spkiOf(rsa.publicKey)
    const question = (algorithm: string, digest: string): ValueVerdict =>
      verifyValue({ algorithm: id(algorithm), digestAlgorithm: id(digest), spki, signed: message }, value)
    assert.equal(question('1.2.840.113549.1.1.1', SHA256).kind, 'good')
    assert.equal(question('1.2.840.113549.1.1.11', SHA256).kind, 'good')
    assert.equal(question('1.2.840.113549.1.1.11', SHA512).kind, 'bad')
    assert.equal(question('1.2.840.113549.1.1.1', SHA512).kind, 'bad')
    assert.equal(ask(id('1.2.840.113549.1.1.1'), rsa.publicKey, value).kind, 'unsupported')
  })

  it('name what they do not know, and find nothing good in garbage', () => {
    const value = sign('sha256', message, p256.privateKey)
    const unknown = ask(id('1.2.3.4'), p256.publicKey, value)
    assert.deepEqual(unknown, { kind: 'unsupported', algorithm: '1.2.3.4' })
    assert.equal(
      verifyValue({ algorithm: Buffer.from([1]), spki: Buffer.from([2]), signed: message }, value).kind,
      'bad',
    )
    assert.equal(ask(id('1.2.840.113549.1.1.11'), p256.publicKey, value).kind, 'bad')
  })

  it('refuse keys on curves with parameters of their own', () => {
    const explicit = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })
    const value = sign('sha256', message, explicit.privateKey)
    assert.equal(ask(id('1.2.840.10045.4.3.2'), explicit.publicKey, value).kind, 'unsupported')
  })
})

describe('facts about algorithms', () => {
  it('tell scheme, digest, kind and size of the key', () => {
    const brainpool = generateKeyPairSync('ec', { namedCurve: 'brainpoolP384r1' })
    const facts = algorithmFacts(id('0.4.0.127.0.7.1.1.4.1.4'), spkiOf(brainpool.publicKey))
    const { signature, digest, keyKind, keyBits, curve } = facts
    assert.deepEqual(
      [signature, digest, keyKind, keyBits, curve],
      ['ecdsa-plain', 'sha384', 'ec', 384, 'brainpoolP384r1'],
    )
    assert.equal(algorithmFacts(id('1.2.840.113549.1.1.1'), spkiOf(rsa.publicKey), id(SHA512)).digest, 'sha512')
    assert.deepEqual(algorithmFacts(id('1.2.3'), spkiOf(p256.publicKey)), {
      signature: 'unknown',
      oid: '1.2.3',
      digest: null,
      keyKind: 'ec',
      keyBits: 256,
      curve: 'prime256v1',
    })
  })
})

function ask(algorithm: Buffer, key: KeyObject, value: Buffer): ValueVerdict {
  return verifyValue({ algorithm, spki: spkiOf(key), signed: message }, value)
}

function pss(digest: string, mask: string, saltLength: number): Buffer {
  const mgf1 = sequence(oid('1.2.840.113549.1.1.8'), id(mask))
  const fields = [encode(0xa0, id(digest)), encode(0xa1, mgf1), encode(0xa2, integer(saltLength))]
  return sequence(oid('1.2.840.113549.1.1.10'), sequence(...fields))
}

const SHA1 = '1.3.14.3.2.26'
const SHA256 = '2.16.840.1.101.3.4.2.1'
const SHA512 = '2.16.840.1.101.3.4.2.3'
