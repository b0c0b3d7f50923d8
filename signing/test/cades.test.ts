/** CAdES signatures and their levels, with a whole trust service on loopback. */
import assert from 'node:assert/strict'
import { X509Certificate, createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archiveInput, checkArchiveTimestamp, checkHashIndex } from '../cms/archive-timestamp.ts'
import { addCadesSigner, signCades } from '../cms/cades.ts'
import { extendCades } from '../cms/cades-levels.ts'
import type { AdesLevel, LevelSources } from '../cms/cades-levels.ts'
import { contentDigests } from '../cms/content.ts'
import * as der from '../asn1/der.ts'
import { readAttributes, readSignedData, signedAttributesOf, writeSignedData, writeSigner } from '../cms/container.ts'
import { ATTRIBUTE } from '../cms/oids.ts'
import { tokensOf } from '../cms/signature-timestamp.ts'
import { bufferAccess } from '../index.ts'
import { parseToken, verifyToken } from '../timestamp/token.ts'
import { programsFor, run } from './programs.ts'
import { startTestAuthority } from './support/test-authority.ts'
import type { TestAuthority } from './support/test-authority.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const TEXT = Buffer.from('Der Bescheid ergeht unter Vorbehalt.')
const CONTENT = bufferAccess(TEXT)
const REQUEST = { signedAt: NOW, form: 'detached' } as const

describe('CAdES signatures', () => {
  let authority: TestAuthority
  let sources: LevelSources
  beforeEach(async () => {
    authority = await startTestAuthority(NOW)
    sources = authority.sources()
  })
  afterEach(() => authority.close())

  const make = async (level: AdesLevel): Promise<Buffer> =>
    extendCades(await signCades(CONTENT, authority.sealKey(), REQUEST), CONTENT, level, sources)

  const attributes = (cms: Buffer, signer = 0): string[] =>
    readAttributes(readSignedData(cms).signers[signer]?.unsignedAttributes ?? []).map(({ type }) => type)

  it('B-T: the time-stamp is over the octets of the signature value', async () => {
    const cms = await make('B-T')
    const [signer] = readSignedData(cms).signers
    const [attribute] = readAttributes(signer?.unsignedAttributes ?? [])
    const token = parseToken(attribute?.values[0] ?? Buffer.alloc(0))
    assert.deepEqual(attribute?.type, ATTRIBUTE.signatureTimeStamp)
    assert.deepEqual(
      token.info.imprint.value,
      createHash('sha256')
        .update(signer?.value ?? '')
        .digest(),
    )
  })

  it('B-LT: certificates and revocation data of signer and time-stamp are inside, as version 5', async () => {
    const parts = readSignedData(await make('B-LT'))
    assert.equal(parts.version, 5)
    assert.equal(parts.crls.filter((choice) => choice[0] === 0xa1).length, 1)
    assert.equal(parts.crls.filter((choice) => choice[0] === 0x30).length, 1)
    const subjects = parts.certificates.map((bytes) => /CN=(.*)/.exec(new X509Certificate(bytes).subject)?.[1])
    assert.deepEqual(subjects.sort(), ['Siegel Übungsstadt', 'Test Issuing CA', 'Test OCSP', 'Test TSA'])
  })

  it('B-LTA: the archive time-stamp is over everything that is there, as its index says', async () => {
    const cms = await make('B-LTA')
    const parts = readSignedData(cms)
    const [signer] = parts.signers
    assert.ok(signer)
    const archive = readAttributes(signer.unsignedAttributes).find(({ type }) => type === ATTRIBUTE.archiveTimeStampV3)
    const token = parseToken(archive?.values[0] ?? Buffer.alloc(0))
    const index = readAttributes(token.signer.unsignedAttributes)[0]?.values[0] ?? Buffer.alloc(0)
    const verdict = checkHashIndex(parts, signer, { type: ATTRIBUTE.atsHashIndexV3, bytes: index })
    assert.ok(verdict)
    assert.equal(verdict.complete, true)
    assert.ok(verdict.certificates.every(Boolean) && verdict.crls.every(Boolean))
    assert.deepEqual(verdict.unsignedAttributes.filter(Boolean).length, 1) // not itself
    const input = archiveInput(parts, signer, createHash('sha256').update(TEXT).digest(), index)
    assert.deepEqual(token.info.imprint.value, createHash('sha256').update(input).digest())
    assert.equal((await verifyToken(token)).kind, 'good')
  })

  it('renewing adds a second archive time-stamp and takes nothing away', async () => {
    const before = await make('B-LTA')
    authority.now = new Date(NOW.getTime() + 30 * 24 * 60 * 60 * 1000)
    const after = await extendCades(before, CONTENT, 'B-LTA', sources)
    assert.equal(attributes(after).filter((type) => type === ATTRIBUTE.archiveTimeStampV3).length, 2)
    const [old, renewed] = [readSignedData(before), readSignedData(after)]
    for (const list of ['certificates', 'crls'] as const) {
      assert.ok(old[list].every((item) => renewed[list].some((other) => other.equals(item))))
    }
    const kept = old.signers[0]?.unsignedAttributes ?? []
    assert.ok(kept.every((item) => renewed.signers[0]?.unsignedAttributes.some((other) => other.equals(item))))
  })

  it('does not build upon an archive time-stamp that lost what it was over', async () => {
    const parts = readSignedData(await make('B-LTA'))
    const poorer = writeSignedData({ ...parts, crls: parts.crls.slice(1) })
    await assert.rejects(extendCades(poorer, CONTENT, 'B-LTA', sources), { code: 'signing/signature-broken' })
  })

  it('a second signer leaves the first as it is, byte by byte', async () => {
    const before = await make('B-LTA')
    const after = await addCadesSigner(before, CONTENT, authority.sealKey('Zweite Behörde'), NOW)
    const [first] = readSignedData(before).signers
    assert.ok(first)
    assert.ok(after.includes(writeSigner(first)))
    assert.equal(readSignedData(after).signers.length, 2)
    const both = await extendCades(after, CONTENT, 'B-LTA', sources)
    assert.ok(attributes(both, 0).includes(ATTRIBUTE.archiveTimeStampV3))
    assert.ok(attributes(both, 1).includes(ATTRIBUTE.archiveTimeStampV3))
  })

  it('says what kind of content it is over, when told', async () => {
    const request = { ...REQUEST, mimeType: 'application/pdf' }
    const [signer] = readSignedData(await signCades(CONTENT, authority.sealKey(), request)).signers
    assert.ok(signer)
    const attribute = signedAttributesOf(signer).find(({ type }) => type === '0.4.0.1733.2.1')
    assert.deepEqual(attribute?.values, [der.utf8String('application/pdf')])
    const wrong = { ...REQUEST, mimeType: 'kein Typ' }
    await assert.rejects(signCades(CONTENT, authority.sealKey(), wrong), { code: 'signing/bad-text' })
  })

  it('does not lift a signature over something else', async () => {
    const cms = await signCades(CONTENT, authority.sealKey(), REQUEST)
    const other = bufferAccess(Buffer.from('etwas anderes'))
    const broken = { code: 'signing/signature-broken' }
    await assert.rejects(extendCades(cms, other, 'B-T', sources), broken)
    await assert.rejects(extendCades(cms, null, 'B-T', sources), broken)
    await assert.rejects(addCadesSigner(cms, other, authority.sealKey(), NOW), broken)
    const flipped = Buffer.from(cms)
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
    await assert.rejects(extendCades(flipped, CONTENT, 'B-T', sources), broken)
  })

  it('does not lift a signature with the time-stamp of another', async () => {
    const [one, other] = [readSignedData(await make('B-T')), readSignedData(await make('B-T'))]
    const [signer, stranger] = [one.signers[0], other.signers[0]]
    assert.ok(signer && stranger)
    const mixed = writeSignedData({
      ...one,
      signers: [{ ...signer, unsignedAttributes: stranger.unsignedAttributes }],
    })
    await assert.rejects(extendCades(mixed, CONTENT, 'B-LT', sources), { code: 'signing/signature-broken' })
  })

  it('does not lift to B-LT what is revoked, or as long as evidence is missing', async () => {
    const key = authority.sealKey()
    const cms = await signCades(CONTENT, key, REQUEST)
    authority.revoke(key.certificateChain[0], new Date(NOW.getTime() - 1000))
    const missing = { code: 'signing/evidence-missing' }
    await assert.rejects(extendCades(cms, CONTENT, 'B-LT', sources), missing)
  })

  if (programsFor('CAdES before OpenSSL', 'openssl')) {
    for (const level of ['B-B', 'B-T', 'B-LT', 'B-LTA'] as const) {
      for (const form of ['detached', 'attached'] as const) {
        it(`OpenSSL verifies ${form} ${level} with two signers`, async () => {
          const folder = await mkdtemp(join(tmpdir(), 'amtsbote-cades-'))
          const file = (name: string): string => join(folder, name)
          const one = await signCades(CONTENT, authority.sealKey(), { ...REQUEST, form })
          const second = authority.sealKey('Zweite Behörde', 'rsa-pss-sha256')
          const two = await addCadesSigner(one, CONTENT, second, NOW)
          const cms = level === 'B-B' ? two : await extendCades(two, CONTENT, level, sources)
          const issuing = await authority.http({
            method: 'GET',
            url: `${authority.url}/issuing.cer`,
            timeoutMs: 1000,
            maxBytes: 1 << 20,
          })
          await writeFile(file('cms'), cms)
          await writeFile(file('content'), TEXT)
          const trusted = [authority.root, issuing.body].map((bytes) => new X509Certificate(bytes).toString())
          await writeFile(file('trusted.pem'), trusted.join('\n'))
          const content = form === 'detached' ? ['-content', file('content')] : []
          const verify = ['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', file('cms'), ...content]
          const trust = ['-CAfile', file('trusted.pem'), '-purpose', 'any']
          const at = ['-attime', String(NOW.getTime() / 1000), '-out', file('out')]
          const result = await run('openssl', ...verify, ...trust, ...at)
          await rm(folder, { recursive: true })
          assert.match(result.output, /CAdES Verification successful/)
        })
      }
    }
  }
})

const CORPUS = new URL('../../../shared/data/signatures/', import.meta.url)

/** File, and whether its archive time-stamps fit; the first is detached. */
const ARCHIVES = [
  ['cades-lta-A.p7s', true],
  ['dss-CAdESDoubleLTA.p7m', true],
  ['dss-Signature-C-B-LTA-10.p7m', true],
  ['dss-CAdES-BpLTA_modified_ats_hash_element.p7m', false],
] as const

describe('archive time-stamps that others made', () => {
  if (!existsSync(CORPUS)) {
    console.log('  archive time-stamps that others made: not run, the shared data are not there')
    return
  }
  for (const [name, expected] of ARCHIVES) {
    it(`${name} ${expected ? 'fits' : 'does not fit'}`, async () => {
      const parts = readSignedData(await readFile(new URL(`files/${name}`, CORPUS)))
      const content = parts.content ?? (await readFile(new URL('detached/anlage_A.txt', CORPUS)))
      const digests = contentDigests(bufferAccess(content))
      const verdicts = await Promise.all(
        parts.signers.flatMap((signer) =>
          tokensOf(signer, ATTRIBUTE.archiveTimeStampV3).map((token) =>
            checkArchiveTimestamp(parts, signer, token, digests),
          ),
        ),
      )
      assert.ok(verdicts.length > 0)
      assert.ok(verdicts.every(({ fits }) => fits === expected))
    })
  }
})
