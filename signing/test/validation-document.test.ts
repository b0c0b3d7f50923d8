/** Documents as they come: which kind they are, what cannot be read, what a network adds. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as der from '../asn1/der.ts'
import { bufferAccess, sealPdf } from '../index.ts'
import { createFetchCache } from '../trust/fetch-cache.ts'
import { createOnline } from '../trust/online.ts'
import { detectKind } from '../validation/detect.ts'
import { validateDocument } from '../validation/validate.ts'
import type { ValidationOptions } from '../validation/validate.ts'
import type { ValidationReport } from '../validation/report.ts'
import { buildPdf, onePage } from './build-pdf.ts'
import { cadesAttributes, rawSignedData } from './support/raw-cms.ts'
import { startTestAuthority } from './support/test-authority.ts'
import type { TestAuthority } from './support/test-authority.ts'
import { EXTENSIONS, ecKey, issue } from './support/test-certificates.ts'

const FIXTURES = new URL('fixtures/validation/', import.meta.url)
const read = (name: string): Buffer => readFileSync(new URL(name, FIXTURES))
const OFFLINE: ValidationOptions = { anchors: [], now: new Date('2026-11-23'), producer: 'test' }
const validate = (bytes: Buffer, more: Partial<ValidationOptions> = {}): Promise<ValidationReport> =>
  validateDocument(bufferAccess(bytes), { ...OFFLINE, ...more })

describe('the kind of a document', () => {
  it('is told by its bytes', async () => {
    const cases: readonly [Buffer, string][] = [
      [read('pades-b-b-A.pdf'), 'pdf'],
      [Buffer.concat([Buffer.from('\n\njunk before it\n'), read('pades-b-b-A.pdf')]), 'pdf'],
      [read('cades-lta-A.p7s'), 'cms'],
      [Buffer.from('-----BEGIN PKCS7-----\n'), 'cms'],
      [read('xades-enveloped-LTA-A.xml'), 'xml'],
      [Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(' \n<a/>')]), 'xml'],
      [read('asice-cades-LTA-A.asice'), 'zip'],
      [Buffer.from('plain text'), 'unknown'],
      [Buffer.alloc(0), 'unknown'],
    ]
    for (const [bytes, kind] of cases) assert.equal(await detectKind(bufferAccess(bytes)), kind)
  })
})

describe('what cannot be read', () => {
  it('is unsigned when there is no trace of a signature', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('plain text')]) {
      const report = await validate(bytes)
      assert.equal(report.headline, 'unsigned')
      assert.equal(report.document.sizeBytes, bytes.length)
    }
  })

  it('is a broken signature when there is one', async () => {
    const torn = [
      read('pades-b-b-A.pdf').subarray(0, -400),
      read('cades-lta-A.p7s').subarray(0, 4000),
      Buffer.concat([Buffer.from('x'), read('xades-enveloped-LTA-A.xml')]),
      read('xades-enveloped-LTA-A.xml').subarray(0, -30),
      read('asice-cades-LTA-A.asice').subarray(0, 9000),
    ]
    for (const [index, bytes] of torn.entries()) {
      const report = await validate(bytes)
      assert.equal(report.headline, 'invalid', `case ${index}`)
      assert.equal(report.signatures[0]?.subIndication, 'FORMAT_FAILURE', `case ${index}`)
    }
  })

  it('is undecided when it is a document of a known kind without a trace', async () => {
    const report = await validate(Buffer.from('%PDF-1.7\nnothing that a reader knows'))
    assert.equal(report.headline, 'undecided')
    assert.deepEqual(
      report.findings.map(({ code }) => code),
      ['unreadable'],
    )
  })

  it('asks for the password', async () => {
    const bytes = read('pades-b-b-encrypted-aes256-A.pdf')
    for (const password of [null, 'falsch'])
      await assert.rejects(validate(bytes, { password }), { code: 'signing/pdf-encrypted' })
    assert.equal((await validate(bytes, { password: 'geheim' })).signatures.length, 1)
  })
})

describe('bytes behind a signed document', () => {
  it('are told, however many spaces stand before them', async () => {
    const bytes = Buffer.concat([read('pades-b-lt-A.pdf'), Buffer.from(`${' '.repeat(16_000)}x`)])
    const report = await validate(bytes)
    const codes = [...report.findings, ...report.signatures.flatMap(({ findings }) => findings)].map(({ code }) => code)
    assert.ok(codes.includes('uncovered-bytes'), codes.join())
    assert.notEqual(report.headline, 'valid')
  })
})

describe('a file that can be taken for another kind', () => {
  const pdf = buildPdf({ objects: onePage() })
  const archiveEnd = Buffer.from('504b0506000000000000000000000000000000000000', 'hex')
  const kinds = async (bytes: Buffer): Promise<string> => {
    const { headline, findings } = await validate(bytes)
    assert.ok(headline !== 'valid' && headline !== 'valid-with-remarks')
    return findings
      .filter(({ code, severity }) => code === 'second-kind' && severity === 'unclean')
      .map(({ detail }) => detail)
      .join()
  }

  it('is told: a PDF in a comment of XML', async () => {
    const xml = read('xades-enveloped-LTA-A.xml').toString('latin1')
    const root = xml.indexOf('<', xml.indexOf('?>'))
    const both = `${xml.slice(0, root)}<!--\n${pdf.toString('latin1')}-->${xml.slice(root)}`
    assert.equal(await kinds(Buffer.from(both, 'latin1')), 'PDF')
    assert.equal(await kinds(Buffer.from(xml, 'latin1')), '')
  })

  it('is told: the end of an archive in anything else', async () => {
    const files = ['xades-enveloped-LTA-A.xml', 'cades-lta-A.p7s', 'pades-b-b-A.pdf'].map(read)
    for (const bytes of files) {
      assert.equal(await kinds(Buffer.concat([bytes, archiveEnd])), 'ZIP')
      assert.equal(await kinds(bytes), '')
    }
  })

  it('is told: a PDF in a signature file, unless it is the content', async () => {
    const validity = { from: new Date('2026-01-01'), until: new Date('2028-01-01') }
    const holder = issue({
      commonName: 'Amt',
      key: ecKey(),
      issuer: null,
      ...validity,
      extensions: EXTENSIONS.signer(),
    })
    const signed = { content: pdf, signers: [{ holder, attributes: cadesAttributes(pdf, holder, OFFLINE.now) }] }
    const hidden = der.sequence(der.oid('1.2.3'), der.octetString(pdf))
    assert.equal(await kinds(rawSignedData({ ...signed, inside: pdf })), '')
    assert.equal(await kinds(rawSignedData({ ...signed, digests: [hidden] })), 'PDF')
    assert.equal(await kinds(rawSignedData({ ...signed, inside: pdf, digests: [hidden] })), 'PDF')
  })

  it('is refused: a PDF before the files of an archive', async () => {
    const whole = read('asice-cades-LTA-A.asice')
    const name = Buffer.from('%PDF-1.7')
    const renamed = Buffer.from(whole)
    const at = whole.indexOf('anlage_A')
    assert.ok(at > 0)
    for (let place = at; place >= 0; place = renamed.indexOf('anlage_A', place + 1)) name.copy(renamed, place)
    const { signatures } = await validate(renamed)
    assert.equal(signatures[0]?.subIndication, 'FORMAT_FAILURE')
    assert.ok(signatures[0].constraints.some(({ detail }) => detail.includes('taken for a PDF')))
  })
})

describe('a signature beside its document', () => {
  const content = read('anlage_A.txt')

  it('is validated over it, in DER and as text', async () => {
    const der = read('cades-lta-A.p7s')
    const text = Buffer.from(`-----BEGIN PKCS7-----\n${der.toString('base64')}\n-----END PKCS7-----\n`)
    for (const bytes of [der, text]) {
      const report = await validate(bytes, { detached: () => bufferAccess(content) })
      assert.equal(report.signatures[0]?.subIndication, 'NO_CERTIFICATE_CHAIN_FOUND')
    }
    const other = await validate(der, { detached: () => bufferAccess(Buffer.from('other')) })
    assert.equal(other.signatures[0]?.subIndication, 'HASH_FAILURE')
    const alone = await validate(der)
    assert.equal(alone.signatures[0]?.subIndication, 'SIGNED_DATA_NOT_FOUND')
  })
})

describe('with a network', function () {
  // a trust service on loopback makes its keys first
  this.timeout(10_000)
  const NOW = new Date('2026-11-23T10:00:00Z')
  let authority: TestAuthority
  beforeEach(async () => {
    authority = await startTestAuthority(NOW)
  })
  afterEach(() => authority.close())

  const sealed = async (): Promise<Buffer> => {
    const document = bufferAccess(buildPdf({ objects: onePage() }))
    const { bytes } = await sealPdf(document, authority.sealKey(), { signedAt: NOW })
    const parts: Buffer[] = []
    for await (const part of bytes) parts.push(part)
    return Buffer.concat(parts)
  }
  const online = () =>
    createOnline({
      http: authority.http,
      anchors: authority.anchors,
      now: () => NOW,
      random: randomBytes,
      cache: createFetchCache(),
    })

  it('what is missing is fetched, and judged like everything else', async () => {
    const bytes = await sealed()
    const { anchors } = authority
    const offline = await validate(bytes, { anchors, now: NOW })
    assert.equal(offline.signatures[0]?.subIndication, 'NO_CERTIFICATE_CHAIN_FOUND')
    const report = await validate(bytes, { anchors, now: NOW, online: online() })
    assert.equal(report.headline, 'valid')
    assert.ok(authority.asked.includes('/ocsp'))
  })

  it('a revocation is found', async () => {
    const bytes = await sealed()
    const { anchors } = authority
    const [certificate] = (await validate(bytes, { anchors, now: NOW })).certificates
    authority.revoke(Buffer.from(certificate?.der ?? '', 'base64'), new Date('2026-11-01'))
    const report = await validate(bytes, { anchors, now: NOW, online: online() })
    assert.equal(report.signatures[0]?.subIndication, 'REVOKED_NO_POE')
  })

  it('nobody is asked about what is broken anyhow', async () => {
    const bytes = await sealed()
    bytes[20] = (bytes[20] ?? 0) ^ 1
    await validate(bytes, { anchors: authority.anchors, now: NOW, online: online() })
    assert.deepEqual(authority.asked, [])
  })
})
