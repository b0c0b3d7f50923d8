/** SignedData that others took apart and put together again: attributes, certificates and contents that do not belong. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import * as der from '../asn1/der.ts'
import { ATTRIBUTE } from '../cms/oids.ts'
import { bufferAccess } from '../random-access.ts'
import { parseCertificate } from '../trust/certificate.ts'
import type { ValidationReport } from '../validation/report.ts'
import { validateDocument } from '../validation/validate.ts'
import * as raw from './support/raw-cms.ts'
import type { RawSignedData, RawSigner } from './support/raw-cms.ts'
import { revocationList } from './support/test-answers.ts'
import { EXTENSIONS, ecKey, extension, issue, rsaKey } from './support/test-certificates.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const validity = { from: new Date('2026-01-01'), until: new Date('2028-01-01') }
const root = issue({ commonName: 'Root', key: ecKey(), issuer: null, ...validity, extensions: EXTENSIONS.ca() })
const holder = (commonName: string, key = ecKey()) =>
  issue({ commonName, key, issuer: root, ...validity, extensions: EXTENSIONS.signer() })
const own = holder('Amt A')
const other = holder('Amt B')
const twin = holder('Amt A, zum zweiten', own.key)
const withRsa = holder('Amt C', rsaKey())
const CONTENT = Buffer.from('Bescheid vom 1. November\n')
const CHANGED = Buffer.from('anderer Inhalt')
const evidence = { certificates: [], crls: [revocationList(root, new Date('2026-11-23T09:00:00Z'), [])], ocsps: [] }
const anchors = [{ certificate: parseCertificate(root.certificate), source: 'test' }]

const validate = (bytes: Buffer, beside: Buffer | null): Promise<ValidationReport> => {
  const detached = (): ReturnType<typeof bufferAccess> | null => (beside === null ? null : bufferAccess(beside))
  return validateDocument(bufferAccess(bytes), { anchors, now: NOW, producer: 'test', detached, evidence })
}

async function verdictOf(bytes: Buffer, beside: Buffer | null = CONTENT): Promise<string> {
  const { signatures, headline } = await validate(bytes, beside)
  const verdicts = signatures.map(({ indication, subIndication }) => subIndication ?? indication)
  return [...verdicts, headline].join(' ')
}

const attributes = (of = own, content = CONTENT): Buffer[] => raw.cadesAttributes(content, of, NOW)
const [type, time, digest, certificate] = attributes() as [Buffer, Buffer, Buffer, Buffer]
const ECDSA = der.sequence(der.oid('1.2.840.10045.2.1'))
const PASSED = 'TOTAL-PASSED valid'

function made(signer: Partial<RawSigner> = {}, more: Partial<RawSignedData> = {}): Buffer {
  return raw.rawSignedData({
    content: CONTENT,
    signers: [{ holder: own, attributes: attributes(), ...signer }],
    ...more,
  })
}
const both = { certificates: [own.certificate, other.certificate] }
const armoured = (bytes: Buffer): string =>
  `-----BEGIN CMS-----\n${bytes.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CMS-----\n`
const protection = (digestAlgorithm: Buffer): Buffer => {
  const signature = der.children(der.decode(raw.ECDSA_SHA256)).map(({ encoding }) => encoding)
  return raw.attribute(ATTRIBUTE.algorithmProtection, der.sequence(digestAlgorithm, der.encode(0xa1, ...signature)))
}
const v1 = (of: Buffer): Buffer => {
  const id = der.sequence(der.octetString(createHash('sha1').update(of).digest()))
  return raw.attribute(ATTRIBUTE.signingCertificate, der.sequence(der.sequence(id)))
}

/** BER: the outer levels without lengths */
function indefinite(bytes: Buffer): Buffer {
  const [id, wrapper] = der.children(der.decode(bytes))
  const fields = der.children(der.decode(wrapper?.content ?? Buffer.alloc(0))).map(({ encoding }) => encoding)
  const end = Buffer.alloc(2)
  return Buffer.concat([
    Buffer.of(0x30, 0x80),
    id?.encoding ?? end,
    Buffer.of(0xa0, 0x80, 0x30, 0x80),
    ...fields,
    end,
    end,
    end,
  ])
}

describe('signatures that hold in an unusual form', () => {
  const key = parseCertificate(own.certificate).ski ?? Buffer.alloc(0)
  const cases: [string, () => Buffer][] = [
    ['as it is usually written', () => made()],
    ['no digest in the list', () => made({}, { digests: [] })],
    ['several digests in the list', () => made({}, { digests: [raw.SHA256, raw.SHA512] })],
    ['the signer by its key', () => made({ sid: der.encode(0x80, key), version: 3 }, { version: 3 })],
    [
      'rsaEncryption as the algorithm',
      () => made({ holder: withRsa, attributes: attributes(withRsa), signatureAlgorithm: raw.RSA }),
    ],
    ['the content inside and beside', () => made({}, { inside: CONTENT })],
    ['the certificate twice', () => made({}, { certificates: [own.certificate, own.certificate] })],
    [
      'something unreadable among the certificates',
      () => made({}, { certificates: [own.certificate, der.sequence()] }),
    ],
    ['BER', () => indefinite(made({}, { inside: CONTENT }))],
    ['text', () => Buffer.from(armoured(made()))],
    [
      'algorithms protected',
      () => made({ attributes: [...attributes(), protection(raw.SHA256)].sort((a, b) => Buffer.compare(a, b)) }),
    ],
  ]
  for (const [what, make] of cases)
    it(what, async () => {
      assert.equal(await verdictOf(make()), PASSED)
    })
})

describe('Ed448 (RFC 8419)', () => {
  const keys = generateKeyPairSync('ed448')
  const signer = issue({
    ...{ commonName: 'Amt D', key: keys.publicKey, issuer: root, ...validity },
    extensions: EXTENSIONS.signer(),
  })
  const shake = (bits: number): Buffer =>
    createHash('shake256', { outputLength: bits / 8 })
      .update(CONTENT)
      .digest()
  const SHAKE256 = der.sequence(der.oid('2.16.840.1.101.3.4.2.12'))
  const withLength = (bits: number): Buffer => der.sequence(der.oid('2.16.840.1.101.3.4.2.18'), der.integer(bits))
  const made448 = (digestAlgorithm: Buffer, value: Buffer): Promise<string> => {
    const [, , , reference] = attributes(signer) as [Buffer, Buffer, Buffer, Buffer]
    const all = [type, time, raw.attribute(ATTRIBUTE.messageDigest, der.octetString(value)), reference]
    const signed = {
      holder: signer,
      attributes: all.sort((a, b) => Buffer.compare(a, b)),
      digestAlgorithm,
      signatureAlgorithm: der.sequence(der.oid('1.3.101.113')),
      value: sign(null, der.setOf(...all), keys.privateKey),
    }
    return verdictOf(made(signed, { certificates: [signer.certificate] }))
  }

  it('holds over SHAKE256 of 512 bits, whichever way it is named', async () => {
    assert.equal(await made448(SHAKE256, shake(512)), PASSED)
    assert.equal(await made448(withLength(512), shake(512)), PASSED)
  })

  it('does not over less of it, nor over another digest', async () => {
    assert.equal(await made448(SHAKE256, shake(256)), 'HASH_FAILURE invalid')
    assert.equal(await made448(SHAKE256, createHash('sha512').update(CONTENT).digest()), 'HASH_FAILURE invalid')
    assert.equal(await made448(withLength(256), shake(256)), 'SIGNED_DATA_NOT_FOUND undecided')
    assert.equal(await made448(withLength(512), shake(256)), 'HASH_FAILURE invalid')
  })

  it('is not for keys of other kinds', async () => {
    const all = [type, time, raw.attribute(ATTRIBUTE.messageDigest, der.octetString(shake(512))), certificate]
    const foreign = { attributes: all, digestAlgorithm: SHAKE256, signatureAlgorithm: ECDSA }
    assert.match(await verdictOf(made(foreign)), / undecided$/)
  })
})

describe('signatures that do not hold', () => {
  const stripped = sign('sha256', der.setOf(...attributes()), own.key)
  const set = der.setOf(...attributes())
  const cases: [string, () => Buffer, string, (Buffer | null)?][] = [
    ['another content', () => made(), 'HASH_FAILURE invalid', CHANGED],
    ['no content', () => made(), 'SIGNED_DATA_NOT_FOUND undecided', null],
    ['another content inside', () => made({}, { inside: CHANGED }), 'HASH_FAILURE invalid', null],
    [
      'the digest twice',
      () => made({ attributes: [...attributes(), raw.messageDigest(CHANGED)] }),
      'SIG_CRYPTO_FAILURE invalid',
    ],
    [
      'the certificate named twice',
      () => made({ attributes: [...attributes(), certificate] }),
      'SIG_CRYPTO_FAILURE invalid',
    ],
    [
      'the time twice, and no content',
      () => made({ attributes: [...attributes(), time] }),
      'SIGNED_DATA_NOT_FOUND undecided',
      null,
    ],
    ['no digest', () => made({ attributes: [type, time, certificate] }), 'FORMAT_FAILURE invalid'],
    [
      'the digest among what is not signed',
      () => made({ attributes: [type, time, certificate], unsigned: [digest] }),
      'FORMAT_FAILURE invalid',
    ],
    [
      'another type of content',
      () => made({ attributes: [raw.contentType('1.2.840.113549.1.7.5'), time, digest, certificate] }),
      'FORMAT_FAILURE invalid',
    ],
    [
      'the signer is not the one named',
      () => made({ attributes: attributes(other) }, both),
      'NO_SIGNING_CERTIFICATE_FOUND undecided',
    ],
    [
      'the one named is not the signer',
      () => made({ sid: raw.bySerial(other) }, both),
      'NO_SIGNING_CERTIFICATE_FOUND undecided',
    ],
    [
      'another certificate with the same key',
      () => made({ sid: raw.bySerial(twin) }, { certificates: [own.certificate, twin.certificate] }),
      'NO_SIGNING_CERTIFICATE_FOUND undecided',
    ],
    [
      'two references that contradict each other',
      () => made({ attributes: [...attributes(), v1(other.certificate)] }, both),
      'NO_SIGNING_CERTIFICATE_FOUND undecided',
    ],
    [
      'other algorithms protected',
      () => made({ attributes: [...attributes(), protection(raw.SHA512)] }),
      'SIG_CRYPTO_FAILURE invalid',
    ],
    [
      'a digest that the algorithm contradicts',
      () => made({ holder: withRsa, attributes: attributes(withRsa), digestAlgorithm: raw.SHA512 }),
      'HASH_FAILURE invalid',
    ],
    ['an algorithm of another key', () => made({ signatureAlgorithm: raw.RSA_SHA256 }), 'SIG_CRYPTO_FAILURE invalid'],
    [
      'a curve as the algorithm',
      () => made({ signatureAlgorithm: der.sequence(der.oid('1.2.840.10045.3.1.7')) }),
      'SIG_CRYPTO_FAILURE invalid',
    ],
    ['no value', () => made({ value: Buffer.alloc(0) }), 'SIG_CRYPTO_FAILURE invalid'],
    [
      'a value of zeros',
      () => made({ value: der.sequence(der.integer(0), der.integer(0)) }),
      'SIG_CRYPTO_FAILURE invalid',
    ],
    [
      'attributes taken off and shown as content',
      () => raw.rawSignedData({ content: set, inside: set, signers: [{ holder: own, value: stripped }] }),
      'FORMAT_FAILURE invalid',
      null,
    ],
    [
      'attributes taken off and laid beside',
      () => raw.rawSignedData({ content: set, signers: [{ holder: own, value: stripped }] }),
      'FORMAT_FAILURE invalid',
      set,
    ],
    ['no signer', () => made({}, { signers: [], ...both }), 'FORMAT_FAILURE invalid'],
  ]
  for (const [what, make, expected, beside = CONTENT] of cases)
    it(what, async () => {
      assert.equal(await verdictOf(make(), beside), expected)
    })

  it('one of two signers is not the other', async () => {
    const signers = [
      { holder: own, attributes: attributes() },
      { holder: other, attributes: attributes(other), value: stripped },
    ]
    assert.equal(await verdictOf(made({}, { signers })), 'TOTAL-PASSED SIG_CRYPTO_FAILURE invalid')
  })
})

describe('keys that are for something else', () => {
  const withPurpose = (...purposes: string[]) => {
    const purpose = extension('2.5.29.37', der.sequence(...purposes.map((id) => der.oid(id))))
    return issue({
      commonName: 'Dienst',
      key: ecKey(),
      issuer: root,
      ...validity,
      extensions: [...EXTENSIONS.signer(), purpose],
    })
  }
  const verdict = async (...purposes: string[]): Promise<string> => {
    const service = withPurpose(...purposes)
    return verdictOf(
      made({ holder: service, attributes: attributes(service) }, { certificates: [service.certificate] }),
    )
  }

  it('sign no documents', async () => {
    const [server, mail, timeStamping, ocsp] = [1, 4, 8, 9].map((last) => `1.3.6.1.5.5.7.3.${last}`) as [
      string,
      string,
      string,
      string,
    ]
    for (const purpose of [server, timeStamping, ocsp])
      assert.equal(await verdict(purpose), 'CHAIN_CONSTRAINTS_FAILURE undecided')
    assert.equal(await verdict(mail), PASSED)
    assert.equal(await verdict(server, mail), PASSED)
  })
})

describe('what stands beside a signature', () => {
  it('is not what is inside', async () => {
    const bytes = made({ attributes: attributes(own, CHANGED) }, { inside: CHANGED })
    assert.equal(await verdictOf(bytes, CHANGED), PASSED)
    assert.equal(await verdictOf(bytes, CONTENT), 'TOTAL-PASSED undecided')
  })

  it('bytes behind it are told, in the text form too', async () => {
    assert.equal(await verdictOf(Buffer.concat([made(), Buffer.alloc(8)])), 'TOTAL-PASSED valid-with-remarks')
    assert.equal(await verdictOf(Buffer.concat([made(), Buffer.from('mehr')])), 'TOTAL-PASSED undecided')
    assert.equal(await verdictOf(Buffer.from(armoured(made()).repeat(2))), 'TOTAL-PASSED undecided')
  })
})
