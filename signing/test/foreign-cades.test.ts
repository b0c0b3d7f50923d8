/** Signatures of other programs, lifted to B-LTA: nothing of theirs changes, and the validation finds the level. */
import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { extendAsic } from '../asic/extend.ts'
import { openContainer, readWhole } from '../asic/container.ts'
import { extendCades } from '../cms/cades-levels.ts'
import type { LevelSources } from '../cms/cades-levels.ts'
import { readSignedData } from '../cms/container.ts'
import type { HttpRequest, HttpResponse } from '../http.ts'
import { bufferAccess } from '../index.ts'
import type { RandomAccess } from '../index.ts'
import { parseCertificate } from '../trust/certificate.ts'
import { createFetchCache } from '../trust/fetch-cache.ts'
import { createOnline } from '../trust/online.ts'
import type { TrustAnchor } from '../trust/trust-anchor.ts'
import { validateDocument } from '../validation/validate.ts'
import { sharedData } from './shared-data.ts'
import { revocationList } from './support/test-answers.ts'
import { startTestAuthority } from './support/test-authority.ts'
import type { TestAuthority } from './support/test-authority.ts'
import type { Holder } from './support/test-certificates.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const shared = (path: string): Buffer => readFileSync(join(sharedData, path))
const TEXT = 'detached/schriftsatz-A.txt'

/** Name, content beside it, and the headline afterwards. */
const FILES = [
  ['cades-b-A.p7s', TEXT, 'valid'],
  ['cades-t-A.p7s', TEXT, 'valid'],
  ['cades-lt-A.p7s', 'detached/anlage_A.txt', 'valid'],
  ['cades-lta-A.p7s', 'detached/anlage_A.txt', 'valid'],
  ['cades-ber-indefinite-A.p7s', TEXT, 'valid'],
  ['cades-enveloping-A.p7m', null, 'valid'],
  ['cades-unsorted-signedattrs-A.p7s', TEXT, 'valid-with-remarks'],
  ['cades-ess-v1-sha1-A.p7s', TEXT, 'valid-with-remarks'],
] as const

const BROKEN = [
  ['cades-wrong-content-A.p7s', TEXT],
  ['cades-sigvalue-corrupt-A.p7s', TEXT],
  ['cades-ess-points-to-other-cert-A.p7s', TEXT],
  ['cades-two-signers-one-broken-A.p7s', TEXT],
  ['cades-attrs-stripped-content-swap-A.p7s', 'detached/attrs-as-content-A.bin'],
  ['dss-CAdES-BpLTA_modified_ats_hash_element.p7m', null],
  // its archive time-stamp is over everything: whatever is added would break it
  ['dss-Signature-C-B-LTA-10.p7m', null],
] as const

describe('CAdES signatures of others, lifted to B-LTA', () => {
  if (!existsSync(sharedData)) {
    console.log('  CAdES signatures of others: not run, the shared data are not there')
    return
  }
  let authority: TestAuthority
  let anchors: TrustAnchor[]
  let sources: LevelSources
  beforeEach(async () => {
    authority = await startTestAuthority(NOW)
    const root = parseCertificate(derOf('anchors/bp-root.pem'))
    anchors = [...authority.anchors, { certificate: root, source: 'test' }]
    const online = { http: answer, anchors, now: () => NOW, random: randomBytes, cache: createFetchCache() }
    sources = { timestamps: authority.timestamps(), evidence: createOnline(online) }
  })
  afterEach(() => authority.close())

  /** The lists of the recorded authorities, made anew; OCSP does not answer; the rest is our own test authority. */
  function answer(request: HttpRequest): Promise<HttpResponse> {
    const name = /\/crls\/([a-z]+)\//.exec(request.url)?.[1]
    if (name !== undefined) {
      return Promise.resolve({ status: 200, headers: {}, body: revocationList(recordedHolder(name), NOW, []) })
    }
    if (request.url.includes('.invalid/')) return Promise.resolve({ status: 404, headers: {}, body: Buffer.alloc(0) })
    return authority.http(request)
  }

  for (const [file, beside, headline] of FILES) {
    it(file, async () => {
      const before = shared(`files/${file}`)
      const content = beside === null ? null : bufferAccess(shared(beside))
      const after = await extendCades(before, content, 'B-LTA', sources)
      assertKept(before, after)
      const options = { anchors, now: NOW, producer: 'test', detached: () => content }
      const report = await validateDocument(bufferAccess(after), options)
      assert.deepEqual(
        report.signatures.map(({ indication, level }) => [indication, level]),
        [['TOTAL-PASSED', 'CAdES-BASELINE-LTA']],
      )
      assert.equal(report.headline, headline)
    })
  }

  for (const [file, beside] of BROKEN) {
    it(`${file} is not lifted`, async () => {
      const content = beside === null ? null : bufferAccess(shared(beside))
      await assert.rejects(extendCades(shared(`files/${file}`), content, 'B-T', sources), {
        code: 'signing/signature-broken',
      })
    })
  }

  for (const file of ['asice-cades-LTA-A.asice', 'asics-cades-LT-A.asics', 'dss-ac-multifiles-ok.asice']) {
    it(`${file}: files stay, archive manifests only grow`, async () => {
      const before = bufferAccess(shared(`files/${file}`))
      const isOld = file.startsWith('dss-')
      // its certificates belong to nobody that could be asked: a time-stamp is all it can get
      const after = await extendAsic(before, isOld ? 'B-T' : 'B-LTA', sources, NOW)
      const [old, now] = [await contents(before), await contents(after)]
      for (const [name, bytes] of old) if (!name.startsWith('META-INF/')) assert.deepEqual(now.get(name), bytes)
      for (const name of old.keys()) assert.ok(now.has(name), name)
      if (isOld) return
      const report = await validateDocument(after, { anchors, now: NOW, producer: 'test' })
      assert.equal(report.headline, 'valid')
      assert.equal(report.signatures[0]?.level, 'CAdES-BASELINE-LTA')
    })
  }
})

/** Every field of every signer, every attribute, certificate and CRL stands there as it was. */
function assertKept(before: Buffer, after: Buffer): void {
  const [old, now] = [readSignedData(before), readSignedData(after)]
  const isIn = (items: readonly Buffer[], list: readonly Buffer[]): boolean =>
    items.every((item) => list.some((other) => other.equals(item)))
  assert.ok(isIn(old.certificates, now.certificates))
  assert.ok(isIn(old.crls, now.crls))
  assert.deepEqual(now.content, old.content)
  for (const { fields, value, unsignedAttributes } of old.signers) {
    const same = now.signers.find((signer) => signer.value.equals(value))
    assert.ok(same)
    assert.deepEqual(same.fields, fields)
    assert.ok(isIn(unsignedAttributes, same.unsignedAttributes))
  }
}

async function contents(container: RandomAccess): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for (const file of (await openContainer(container)).files) found.set(file.name, await readWhole(file, 1 << 24))
  return found
}

const derOf = (path: string): Buffer => Buffer.from(new X509Certificate(shared(path)).raw)

function recordedHolder(name: string): Holder {
  const certificate = derOf(`pki/certs/root/${name}.cert.pem`)
  return {
    name: parseCertificate(certificate).subject.der,
    spki: Buffer.alloc(0),
    key: createPrivateKey(shared(`pki/keys/${name}.key.pem`)),
    certificate,
  }
}
