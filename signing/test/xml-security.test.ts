/** XML signature and encryption with keys of our own: made, read back, and refused when anything changes. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  SEAL_METHOD_TEXT,
  SHA256,
  XENC_NAMESPACE,
  canonicalize,
  composeSignature,
  encryptedKeyText,
  makeTrialIdentity,
  openBytes,
  openPkcs12,
  openSealed,
  parseXml,
  readEncryptedData,
  readSignature,
  sealBytes,
  signatureValueHolds,
  wrappedBase64,
  xmlDigest,
} from '../index.ts'
import type { XmlElement, XmlReference } from '../index.ts'
import { ecSigningKey } from './trial-key.ts'

const LIMITS = { maxBytes: 1_000_000, maxDepth: 20, maxElements: 500 }
const SCOPE = ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
const parse = (text: string): XmlElement => parseXml(Buffer.from(text, 'utf8'), LIMITS)

/** Curve to the size of its field in bytes. */
const FIELD_BYTES = [
  ['prime256v1', 32],
  ['secp384r1', 48],
  ['secp521r1', 66],
  ['brainpoolP256r1', 32],
  ['brainpoolP384r1', 48],
  ['brainpoolP512r1', 64],
] as const

const made = new Map<string, ReturnType<typeof newIdentity>>()

/** Keys take seconds to make and are never changed: one pair per use and name. */
function identity(usage: 'osci-signature' | 'osci-cipher', name = ''): ReturnType<typeof newIdentity> {
  const known = made.get(usage + name) ?? newIdentity(usage)
  made.set(usage + name, known)
  return known
}

async function newIdentity(usage: 'osci-signature' | 'osci-cipher') {
  const names = { commonName: 'Test', organisation: 'Test', passphrase: 'geheim-geheim' }
  const trial = await makeTrialIdentity({ ...names, usage, now: new Date('2026-11-23'), random: randomBytes })
  const { signing, decryption } = await openPkcs12(trial.pkcs12, 'geheim-geheim')
  if (decryption === null) throw new Error('the trial key is RSA')
  return { signing, decryption }
}

describe('an XML signature', function () {
  this.timeout(60_000)

  const target = parse(`<a${SCOPE} Id="x"><b>Text &amp; mehr</b></a>`)
  const reference = (digest: Buffer): XmlReference => ({ uri: '#x', transform: 'c14n', digestMethod: SHA256, digest })

  async function signed(): Promise<{ text: string; certificate: Buffer; other: Buffer }> {
    const [{ signing }, cipher] = await Promise.all([identity('osci-signature'), identity('osci-cipher')])
    const digest = xmlDigest(SHA256, canonicalize(target))
    const text = await composeSignature(signing, { references: [reference(digest)], keyUri: '#k', scope: SCOPE })
    return { text, certificate: signing.certificateChain[0], other: cipher.decryption.certificate }
  }
  const read = (text: string) => readSignature(parse(text.replace('<ds:Signature>', `<ds:Signature${SCOPE}>`)))

  it('of an elliptic-curve key carries r and s side by side', async () => {
    for (const [curve, bytes] of FIELD_BYTES) {
      const signing = ecSigningKey(curve)
      const parts = { references: [reference(xmlDigest(SHA256, canonicalize(target)))], keyUri: '#k', scope: SCOPE }
      const signature = read(await composeSignature(signing, parts))
      assert.equal(signature.value.length, 2 * bytes, curve)
      assert.ok(signatureValueHolds(signature, signing.certificateChain[0]), curve)
      assert.ok(!signatureValueHolds(signature, ecSigningKey(curve).certificateChain[0]), curve)
    }
  })

  it('holds with its key, and with no other; changed it does not', async () => {
    const { text, certificate, other } = await signed()
    const signature = read(text)
    assert.equal(signature.keyUri, '#k')
    assert.deepEqual(signature.references, [reference(xmlDigest(SHA256, canonicalize(target)))])
    assert.equal(signatureValueHolds(signature, certificate), true)
    assert.equal(signatureValueHolds(signature, other), false)
    assert.equal(signatureValueHolds(read(text.replace('URI="#x"', 'URI="#y"')), certificate), false)
    assert.equal(signatureValueHolds({ ...signature, value: Buffer.alloc(3) }, certificate), false)
    // The line feeds inside SignedInfo are signed.
    assert.equal(
      signatureValueHolds(read(text.replace('\n<ds:SignatureMethod', '<ds:SignatureMethod')), certificate),
      false,
    )
  })

  const refused: [string, (text: string) => string, string][] = [
    ['SHA-1', (text) => text.replaceAll(SHA256, 'http://www.w3.org/2000/09/xmldsig#sha1'), 'signing/algorithm-refused'],
    ['an unknown signature', (text) => text.replace('more#rsa-sha256', 'more#rsa-md5'), 'signing/algorithm-refused'],
    ['HMAC', (text) => text.replace('more#rsa-sha256', 'more#hmac-sha256'), 'signing/algorithm-refused'],
    [
      'XPath',
      (text) =>
        text.replace(
          '<ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315">',
          '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116">',
        ),
      'signing/algorithm-refused',
    ],
    [
      'exclusive canonical XML',
      (text) => text.replace('REC-xml-c14n-20010315', 'REC-xml-exc-c14n#'),
      'signing/algorithm-refused',
    ],
    [
      'a SignedInfo twice',
      (text) => text.replace('<ds:SignatureValue>', '<ds:SignedInfo></ds:SignedInfo><ds:SignatureValue>'),
      'signing/xml-malformed',
    ],
    ['no value', (text) => text.replace(/<ds:SignatureValue>[^<]*<\/ds:SignatureValue>/, ''), 'signing/xml-malformed'],
    ['no reference', (text) => text.replace(/<ds:Reference[\s\S]*<\/ds:Reference>/, ''), 'signing/xml-malformed'],
  ]
  for (const [what, change, code] of refused) {
    it(`is refused with ${what}`, async () => {
      const { text } = await signed()
      assert.throws(() => read(change(text)), { code })
    })
  }
})

describe('XML encryption', function () {
  this.timeout(60_000)

  const NAMESPACES = `${SCOPE} xmlns:xenc="${XENC_NAMESPACE}"`
  const plain = Buffer.from('streng vertraulich')

  async function sealed(): Promise<{ text: string; key: Awaited<ReturnType<typeof identity>>['decryption'] }> {
    const { decryption } = await identity('osci-cipher')
    const { key, sealed: bytes } = sealBytes(plain, randomBytes)
    const text =
      `<xenc:EncryptedData${NAMESPACES}>${SEAL_METHOD_TEXT}<ds:KeyInfo>` +
      `${encryptedKeyText(key, { certificate: decryption.certificate, uri: '#r' })}</ds:KeyInfo><xenc:CipherData>` +
      `<xenc:CipherValue>${wrappedBase64(bytes)}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>`
    return { text, key: decryption }
  }

  it('opens with its key', async () => {
    const { text, key } = await sealed()
    const { data, method, keys } = readEncryptedData(parse(text), 'modern')
    const [wrapped] = keys
    assert.ok(data.kind === 'value' && wrapped)
    assert.deepEqual([wrapped.uri, wrapped.certificate], ['#r', null])
    assert.deepEqual(await openSealed(data.sealed, method, { wrapped, by: key }), plain)
  })

  it('says the same of a flipped byte, a cut, a wrong key and a wrong wrapping', async () => {
    const { text, key } = await sealed()
    const { data, method, keys } = readEncryptedData(parse(text), 'modern')
    const [wrapped] = keys
    assert.ok(data.kind === 'value' && wrapped)
    const flipped = Buffer.from(data.sealed)
    flipped[20] = (flipped[20] ?? 0) ^ 1
    const other = (await identity('osci-cipher', 'other')).decryption
    const message = 'the bytes do not open with this key'
    const expected = { code: 'signing/decryption-failed', message }
    await assert.rejects(openSealed(flipped, method, { wrapped, by: key }), expected)
    await assert.rejects(openSealed(data.sealed.subarray(0, 20), method, { wrapped, by: key }), expected)
    await assert.rejects(openSealed(data.sealed, method, { wrapped, by: other }), expected)
    await assert.rejects(
      openSealed(data.sealed, method, { wrapped: { ...wrapped, wrapped: randomBytes(384) }, by: key }),
      expected,
    )
    assert.throws(() => openBytes(data.sealed, method, randomBytes(16)), expected)
  })

  const refused: [string, string | RegExp, string][] = [
    ['CBC', 'http://www.w3.org/2009/xmlenc11#aes256-gcm', `${XENC_NAMESPACE}aes256-cbc`],
    ['an unknown cipher', 'aes256-gcm', 'aes256-ecb'],
    ['RSA 1.5', 'http://www.w3.org/2009/xmlenc11#rsa-oaep', `${XENC_NAMESPACE}rsa-1_5`],
    ['two hashes in OAEP', 'mgf1sha256', 'mgf1sha512'],
    [
      'OAEP with SHA-1',
      `<ds:DigestMethod Algorithm="${SHA256}"`,
      '<ds:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"',
    ],
    ['an IV of one byte', 'Value="12"', 'Value="1"'],
  ]
  for (const [what, from, to] of refused) {
    it(`is refused with ${what}`, async () => {
      const { text } = await sealed()
      assert.ok(text.replace(from, to) !== text)
      assert.throws(() => readEncryptedData(parse(text.replace(from, to)), 'modern'), {
        code: 'signing/algorithm-refused',
      })
    })
  }
})
