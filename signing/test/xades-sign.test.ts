/** XAdES signatures of our own and their levels, with a whole trust service on loopback and xmlsec1 as a second opinion. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AdesLevel, LevelSources } from '../cms/cades-levels.ts'
import type { SigningKey } from '../index.ts'
import { bufferAccess } from '../random-access.ts'
import { createFetchCache } from '../trust/fetch-cache.ts'
import { createOnline } from '../trust/online.ts'
import type { DocumentFacts } from '../validation/facts.ts'
import { readXadesFacts } from '../xades/document.ts'
import { extendXades } from '../xades/levels.ts'
import { signXadesDetached, signXadesEnveloped, signXadesEnveloping } from '../xades/sign.ts'
import { programsFor, run } from './programs.ts'
import { startTestAuthority } from './support/test-authority.ts'
import type { TestAuthority } from './support/test-authority.ts'
import { ecSigningKey } from './trial-key.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const FILE = Buffer.from('Anlage zum Bescheid')
const URI = 'Anlage%201.txt'
const DOCUMENT = Buffer.from(
  '\ufeff<?xml version="1.0"?>\r\n<?order this?><!-- c -->\r\n<a xmlns="urn:x" xml:lang="de">\r\n <b>ä &amp; <!-- k -->ü</b>\r\n</a>\r\n<!-- e -->\n',
)
const detached = (uri: string) => (uri === URI ? bufferAccess(FILE) : null)
const read = (bytes: Buffer): Promise<DocumentFacts> => readXadesFacts(bytes, detached)

const forms: [string, (key: SigningKey) => Promise<Buffer>][] = [
  ['enveloped', (key) => signXadesEnveloped(DOCUMENT, key, { signedAt: NOW })],
  [
    'enveloped in an empty element',
    (key) => signXadesEnveloped(Buffer.from('<p:a xmlns:p="urn:x"/>'), key, { signedAt: NOW }),
  ],
  ['enveloping', (key) => signXadesEnveloping(FILE, 'text/plain', key, { signedAt: NOW })],
  ['detached', (key) => signXadesDetached([reference()], key, { signedAt: NOW })],
]
const reference = () => ({
  uri: URI,
  digestOf: (digest: string) => Promise.resolve(createHash(digest).update(FILE).digest()),
  mimeType: 'text/plain',
})

describe('XAdES signatures of our own', () => {
  let authority: TestAuthority
  let sources: LevelSources
  let folder: string
  beforeEach(async () => {
    authority = await startTestAuthority(NOW)
    sources = authority.sources()
    folder = await mkdtemp(join(tmpdir(), 'xades-'))
  })
  afterEach(async () => {
    await authority.close()
    await rm(folder, { recursive: true })
  })

  const lift = (bytes: Buffer, level: AdesLevel): Promise<Buffer> => extendXades(bytes, detached, level, sources)

  function assertHolds({ signatures, timestamps }: DocumentFacts, kinds: string[]): void {
    for (const { faults, profileFaults, scope } of signatures) {
      assert.deepEqual([faults, profileFaults], [[], []])
      assert.equal(scope.kind, 'whole')
    }
    assert.deepEqual(
      timestamps.map(({ kind }) => kind),
      kinds,
    )
    for (const { faults } of timestamps) assert.deepEqual(faults, [])
  }

  for (const [form, make] of forms) {
    it(`${form}: every level holds, and takes nothing away from the one before`, async () => {
      const signed = await make(authority.sealKey())
      assertHolds(await read(signed), [])
      const stamped = await lift(signed, 'B-T')
      assertHolds(await read(stamped), ['signature'])
      const kept = await lift(stamped, 'B-LT')
      const facts = await read(kept)
      assertHolds(facts, ['signature'])
      assert.equal(facts.signatures[0]?.carriesEvidence, true)
      const archived = await lift(kept, 'B-LTA')
      assertHolds(await read(archived), ['signature', 'archive'])
      authority.now = new Date(NOW.getTime() + 30 * 24 * 60 * 60 * 1000)
      const renewed = await lift(archived, 'B-LTA')
      assertHolds(await read(renewed), ['signature', 'archive', 'archive'])
      for (const [before, after] of [
        [signed, stamped],
        [stamped, kept],
        [kept, archived],
        [archived, renewed],
      ] as const)
        assert.ok(isGrown(before, after))
    })
  }

  it('leaves every byte of the document outside the signature as it was', async () => {
    const signed = await signXadesEnveloped(DOCUMENT, authority.sealKey(), { signedAt: NOW })
    const at = signed.indexOf('<ds:Signature ')
    const end = signed.indexOf('</ds:Signature>') + '</ds:Signature>'.length
    assert.deepEqual(Buffer.concat([signed.subarray(0, at), signed.subarray(end)]), DOCUMENT)
  })

  it('covers evidence and earlier time-stamps by the archive time-stamp', async () => {
    const { timestamps, signatures } = await read(
      await lift((await forms[2]?.[1](authority.sealKey())) ?? FILE, 'B-LTA'),
    )
    const [signature, archive] = timestamps
    assert.ok(archive?.covers.has(signatures[0]?.valueId ?? '') && archive.covers.has(signature?.tokenId ?? ''))
  })

  it('an archive time-stamp breaks when a byte under it changes', async () => {
    const text = (
      await lift(await signXadesDetached([reference()], authority.sealKey(), { signedAt: NOW }), 'B-LTA')
    ).toString()
    const changed = text.replace(/(<xades:EncapsulatedCRLValue>....)/, '$1A')
    const { timestamps } = await read(Buffer.from(changed))
    assert.deepEqual(
      timestamps.map(({ faults }) => faults.map(({ code }) => code)),
      [[], ['imprint']],
    )
    await assert.rejects(lift(Buffer.from(changed), 'B-LTA'), { code: 'signing/signature-broken' })
  })

  it('does not lift what does not fit, what is unsigned, or what has lost its data', async () => {
    const signed = await signXadesDetached([reference()], authority.sealKey(), { signedAt: NOW })
    await assert.rejects(
      extendXades(signed, () => null, 'B-T', sources),
      { code: 'signing/signature-broken' },
    )
    await assert.rejects(lift(Buffer.from('<a/>'), 'B-T'), { code: 'signing/signature-broken' })
    await assert.rejects(lift(Buffer.from(signed.toString().replace('10:00:00Z', '10:00:01Z')), 'B-T'), {
      code: 'signing/signature-broken',
    })
  })

  it('does not lift without fresh revocation data', async () => {
    authority.ocspMood = 'http-500'
    const signed = await signXadesDetached([reference()], authority.sealKey(), { signedAt: NOW })
    const stamped = await lift(signed, 'B-T')
    await assert.doesNotReject(lift(stamped, 'B-T'))
    authority.revoke(authority.sealKey().certificateChain[0], NOW)
    await assert.rejects(extendXades(stamped, detached, 'B-LT', { ...sources, evidence: offline() }), {
      code: 'signing/evidence-missing',
    })
  })

  const offline = () =>
    createOnline({
      http: null,
      anchors: authority.anchors,
      now: () => NOW,
      random: randomBytes,
      cache: createFetchCache(),
    })

  it('does not sign a signed document again', async () => {
    const signed = await signXadesEnveloped(DOCUMENT, authority.sealKey(), { signedAt: NOW })
    await assert.rejects(signXadesEnveloped(signed, authority.sealKey(), { signedAt: NOW }), {
      code: 'signing/xml-locked',
    })
  })

  const keys: [string, (authority: TestAuthority) => SigningKey][] = [
    ['RSA', (of) => of.sealKey()],
    ['RSASSA-PSS', (of) => of.sealKey('Siegel', 'rsa-pss-sha256')],
    ['P-256', () => ecSigningKey('P-256')],
    ['P-384', () => ecSigningKey('P-384')],
    ['brainpoolP256r1', () => ecSigningKey('brainpoolP256r1')],
  ]
  for (const [name, keyOf] of keys) {
    it(`signs with ${name}`, async () => {
      const { signatures } = await read(await signXadesEnveloped(DOCUMENT, keyOf(authority), { signedAt: NOW }))
      assert.deepEqual(signatures[0]?.faults, [])
    })
  }

  if (!programsFor('xmlsec1 on our signatures', 'xmlsec1')) return
  for (const [form, make] of forms) {
    // its version 1.2 does not know RSASSA-PSS nor brainpool
    for (const [name, keyOf] of keys.filter(([key]) => ['RSA', 'P-256', 'P-384'].includes(key))) {
      it(`xmlsec1 verifies: ${form}, ${name}`, async () => {
        const signed = await make(keyOf(authority))
        await writeFile(join(folder, 'signed.xml'), name === 'RSA' ? await lift(signed, 'B-LTA') : signed)
        await writeFile(join(folder, decodeURIComponent(URI)), FILE)
        const options = '--insecure --enabled-reference-uris empty,same-doc,local,remote --id-attr:Id SignedProperties'
        const command = `cd ${folder} && xmlsec1 --verify ${options} --id-attr:Id Object signed.xml`
        const { output, code } = await run('sh', '-c', command)
        assert.equal(code, 0, output)
        assert.match(output, /References \(ok\/all\): 2\/2/)
      })
    }
  }
})

/** Everything that was there is there still, in its order. */
function isGrown(before: Buffer, after: Buffer): boolean {
  let start = 0
  while (start < before.length && before[start] === after[start]) start++
  const tail = before.subarray(start)
  return after.subarray(after.length - tail.length).equals(tail)
}
