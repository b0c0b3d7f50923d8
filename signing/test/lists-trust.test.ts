import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKeyPairSync } from 'node:crypto'
import { SigningError } from '../errors.ts'
import type { Http } from '../http.ts'
import { parseCertificate } from '../trust/certificate.ts'
import type { Certificate } from '../trust/certificate.ts'
import { checkList } from '../trust/lists/check-list.ts'
import { NO_LISTS, importLists, loadLists, refreshLists, saveLists } from '../trust/lists/index.ts'
import type { ListFiles, ListSnapshot } from '../trust/lists/index.ts'
import { checkListOfLists } from '../trust/lists/list-of-lists.ts'
import { parseTrustedList } from '../trust/lists/read-list.ts'
import { verifyEnveloped } from '../xml/enveloped.ts'
import { sharedData } from './shared-data.ts'
import { listXml, signedList } from './support/test-lists.ts'
import type { TestList } from './support/test-lists.ts'
import { issue } from './trust-pki.ts'

const NOW = new Date('2026-03-01T00:00:00Z')
const LOTL_URL = 'https://lotl.example/eu-lotl.xml'
const origin = { location: LOTL_URL, retrievedAt: NOW }
const commission = issue({ name: 'Commission 1' })
const commission2 = issue({ name: 'Commission 2' })
const commission3 = issue({ name: 'Commission 3' })
const agency = issue({ name: 'Agency' })
const stranger = issue({ name: 'Stranger' })

const national = (list: TestList = {}, signer = agency): Buffer => signedList({ ...list }, signer)
const expectation = { type: 'EUgeneric', territory: 'DE', signers: [agency.certificate], previous: null }
function refusal(bytes: Buffer, more: Partial<Parameters<typeof checkList>[2]> = {}): string {
  const verdict = checkList(bytes, origin, { ...expectation, ...more })
  return verdict.kind === 'refused' ? verdict.reason : 'accepted'
}

const self = (certificates: Certificate[], territory = 'EU') => ({
  location: LOTL_URL,
  territory,
  type: 'EUlistofthelists' as const,
  certificates: certificates.map(({ der }) => der),
})
const pointer = (territory: string, signers = [agency.certificate]) => ({
  location: `https://${territory.toLowerCase()}.example/tl.xml`,
  territory,
  certificates: signers.map(({ der }) => der),
})

function listOfLists(list: TestList = {}, signer = commission): Buffer {
  const pointers = [self([commission.certificate]), pointer('DE'), pointer('AT')]
  return signedList({ type: 'EUlistofthelists', territory: 'EU', pointers, ...list }, signer)
}

describe('whether a trusted list may be used', () => {
  it('accepts a list that an announced certificate signed, in versions 5 and 6', () => {
    assert.equal(refusal(national({ version: 5 })), 'accepted')
    assert.equal(refusal(national({ version: 6 })), 'accepted')
    const verdict = checkList(national({ sequence: 4 }), origin, expectation)
    assert.ok(verdict.kind === 'accepted')
    assert.deepEqual([verdict.list.list.sequence, verdict.list.signer], [4, agency.certificate])
  })

  it('accepts signatures with RSASSA-PSS and over brainpool curves', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 })
    const spki = publicKey.export({ format: 'der', type: 'spki' })
    const rsa = issue({ name: 'RSA', issuer: agency, keyOf: { ...agency, key: privateKey, spki } })
    assert.equal(refusal(national({}, rsa), { signers: [rsa.certificate] }), 'accepted')
    const curve = generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' })
    const curveSpki = curve.publicKey.export({ format: 'der', type: 'spki' })
    const brainpool = issue({
      name: 'BP',
      issuer: agency,
      keyOf: { ...agency, key: curve.privateKey, spki: curveSpki },
    })
    assert.equal(refusal(national({}, brainpool), { signers: [brainpool.certificate] }), 'accepted')
  })

  it('refuses what nobody announced: another signer, none, two, a changed status', () => {
    const bytes = national({ services: [{ certificates: [agency.certificate.der], status: 'withdrawn' }] })
    assert.equal(refusal(national({}, stranger)), 'signature')
    assert.equal(refusal(Buffer.from(listXml({}))), 'signature')
    assert.equal(refusal(signedList(bytes.toString(), agency)), 'signature')
    assert.equal(refusal(bytes), 'accepted')
    assert.equal(
      refusal(Buffer.from(bytes.toString().replace('Svcstatus/withdrawn', 'Svcstatus/granted'))),
      'signature',
    )
  })

  it('refuses other versions, kinds and territories, document types and broken XML', () => {
    assert.equal(refusal(national({ version: 4 })), 'version')
    assert.equal(refusal(national({ version: 7 })), 'version')
    assert.equal(refusal(national({ type: 'EUlistofthelists' })), 'kind')
    assert.equal(refusal(national({ territory: 'AT' })), 'territory')
    const text = national().toString()
    assert.equal(refusal(Buffer.from(`<!DOCTYPE x [<!ENTITY a "b">]>${text}`)), 'unreadable')
    assert.equal(refusal(Buffer.from(text.slice(0, -10))), 'unreadable')
  })

  it('refuses to go back behind a list that was accepted', () => {
    const previous = parseTrustedList(national({ sequence: 8, issued: '2026-02-01T00:00:00Z' }))
    assert.equal(refusal(national({ sequence: 7, issued: '2026-02-02T00:00:00Z' }), { previous }), 'rollback')
    assert.equal(refusal(national({ sequence: 9, issued: '2026-01-31T00:00:00Z' }), { previous }), 'rollback')
    assert.equal(refusal(national({ sequence: 8, issued: '2026-02-01T00:00:00Z' }), { previous }), 'accepted')
  })

  it('takes nothing from outside of what was signed', () => {
    const service = { certificates: [agency.certificate.der] }
    const text = national({ services: [service] }).toString()
    const smuggled = listXml({ services: [service, service] })
    const moved = text.replace('<ds:KeyInfo>', `<ds:Object>${smuggled}</ds:Object><ds:KeyInfo>`)
    const verdict = checkList(Buffer.from(moved), origin, expectation)
    assert.ok(verdict.kind === 'refused' || verdict.list.list.services.length === 1)
  })
})

describe('the list of the lists and its pivots', () => {
  const pinned = [commission.certificate]
  const source = (bytes: Buffer, location = LOTL_URL) => ({ bytes, location, retrievedAt: NOW })
  const pivot = (sequence: number, announces: Certificate[], signer: typeof commission) =>
    source(
      listOfLists({ sequence, pointers: [self(announces)] }, signer),
      `https://lotl.example/eu-lotl-pivot-${sequence}.xml`,
    )
  const first = pivot(10, [commission2.certificate], commission)
  const second = pivot(20, [commission3.certificate], commission2)
  const current = source(listOfLists({ sequence: 30 }, commission3))
  const verdictWith = (pivots: (typeof first)[], from = current): string => {
    const verdict = checkListOfLists(from, pinned, pivots, null)
    return verdict.kind === 'accepted' ? `accepted over ${verdict.pivots.length}` : verdict.reason
  }

  it('needs no pivot while a pinned certificate signs', () => {
    assert.equal(verdictWith([], source(listOfLists())), 'accepted over 0')
  })

  it('walks from the old signers to the new ones, in whatever order the pivots come', () => {
    assert.equal(verdictWith([first, second]), 'accepted over 2')
    assert.equal(verdictWith([second, first]), 'accepted over 2')
  })

  it('does not skip a pivot, nor follow one that a stranger signed', () => {
    assert.equal(verdictWith([]), 'signature')
    assert.equal(verdictWith([second]), 'signature')
    assert.equal(verdictWith([first]), 'signature')
    assert.equal(verdictWith([pivot(10, [commission2.certificate], stranger), second]), 'signature')
    assert.equal(verdictWith([first, pivot(20, [commission3.certificate], commission)]), 'signature')
  })

  it('takes new signers only from the pointer of the list to itself', () => {
    const pointers = [self([commission2.certificate], 'DE'), pointer('DE', [commission2.certificate])]
    const foreign = source(listOfLists({ sequence: 10, pointers }), 'https://lotl.example/eu-lotl-pivot-10.xml')
    assert.equal(verdictWith([foreign], source(listOfLists({ sequence: 30 }, commission2))), 'signature')
  })
})

describe('refreshing and keeping lists', () => {
  const pinned = [commission.certificate]
  const web = new Map<string, Buffer>()
  const asked: string[] = []
  const http: Http = ({ url }) => {
    asked.push(url)
    const body = web.get(url)
    if (url.includes('moved'))
      return Promise.resolve({ status: 302, headers: { location: '/tl.xml' }, body: Buffer.alloc(0) })
    if (body === undefined) return Promise.reject(new SigningError('signing/fetch-failed', 'no answer'))
    return Promise.resolve({ status: 200, headers: {}, body })
  }
  const refresh = (previous: ListSnapshot = NO_LISTS, more: Partial<Parameters<typeof refreshLists>[0]> = {}) =>
    refreshLists({ http, now: NOW, lotlUrl: LOTL_URL, pinned, territories: [], previous, ...more })
  const summary = ({ snapshot, problems }: Awaited<ReturnType<typeof refresh>>) => ({
    lotl: snapshot.listOfLists?.list.sequence ?? null,
    lists: snapshot.lists.map(({ list }) => `${list.territory} ${list.sequence}`),
    problems: problems.map(({ territory, code }) => `${territory} ${code}`),
  })
  beforeEach(() => {
    web.clear()
    asked.length = 0
    web.set(LOTL_URL, listOfLists({ sequence: 5 }))
    web.set('https://de.example/tl.xml', national({ sequence: 3 }))
    web.set('https://at.example/tl.xml', national({ sequence: 2, territory: 'AT' }))
  })

  it('fetches what the list of the lists names', async () => {
    assert.deepEqual(summary(await refresh()), { lotl: 5, lists: ['AT 2', 'DE 3'], problems: [] })
    const german = await refresh(NO_LISTS, { territories: ['DE', 'XX'] })
    assert.deepEqual(summary(german), { lotl: 5, lists: ['DE 3'], problems: ['XX not-named'] })
  })

  it('keeps the list before one that is broken, older or not to be had', async () => {
    const { snapshot } = await refresh()
    web.set(
      'https://de.example/tl.xml',
      Buffer.from(national({ sequence: 4 }).toString().replace('Supervision', 'Supervisi0n')),
    )
    web.set('https://at.example/tl.xml', national({ sequence: 1, territory: 'AT' }))
    assert.deepEqual(summary(await refresh(snapshot)), {
      lotl: 5,
      lists: ['AT 2', 'DE 3'],
      problems: ['DE signature', 'AT rollback'],
    })
    web.clear()
    const without = await refresh(snapshot)
    assert.deepEqual(without.snapshot.listOfLists, snapshot.listOfLists)
    assert.deepEqual(summary(without).problems.sort(), ['AT unreachable', 'DE unreachable', 'EU unreachable'])
  })

  it('refuses an older list of the lists and one of a stranger', async () => {
    const { snapshot } = await refresh()
    web.set(LOTL_URL, listOfLists({ sequence: 4 }))
    assert.deepEqual(summary(await refresh(snapshot)).problems, ['EU rollback'])
    web.set(LOTL_URL, listOfLists({ sequence: 6 }, stranger))
    assert.deepEqual(summary(await refresh(snapshot)).problems, ['EU signature'])
    assert.deepEqual(summary(await refresh()), { lotl: null, lists: [], problems: ['EU signature'] })
  })

  it('drops a kept list when its signer is no longer announced', async () => {
    const { snapshot } = await refresh()
    const pointers = [self([commission.certificate]), pointer('DE', [stranger.certificate])]
    web.set(LOTL_URL, listOfLists({ sequence: 6, pointers }))
    assert.deepEqual(summary(await refresh(snapshot)), { lotl: 6, lists: [], problems: ['DE signature'] })
  })

  it('fetches pivots when signers changed, only from the host of the list', async () => {
    const pivotUrl = 'https://lotl.example/eu-lotl-pivot-6.xml'
    const information = [pivotUrl, 'https://evil.example/eu-lotl-pivot-7.xml', 'https://eur-lex.europa.eu/x']
    web.set(LOTL_URL, listOfLists({ sequence: 8, information }, commission2))
    web.set(pivotUrl, listOfLists({ sequence: 6, pointers: [self([commission2.certificate])] }))
    const result = await refresh()
    assert.deepEqual(summary(result), { lotl: 8, lists: ['AT 2', 'DE 3'], problems: [] })
    assert.equal(result.snapshot.pivots.length, 1)
    assert.ok(!asked.some((url) => url.includes('evil')))
    assert.deepEqual(summary(await refresh(result.snapshot)).problems, [])
  })

  it('says when the Official Journal published new signers', async () => {
    web.set(LOTL_URL, listOfLists({ sequence: 5, information: ['https://eur-lex.europa.eu/old'] }))
    const { snapshot } = await refresh()
    web.set(LOTL_URL, listOfLists({ sequence: 6, information: ['https://eur-lex.europa.eu/new'] }))
    assert.deepEqual(summary(await refresh(snapshot)).problems, ['EU official-journal-changed'])
  })

  it('follows a few redirects', async () => {
    const pointers = [{ ...pointer('DE'), location: 'https://de.example/moved' }]
    web.set(LOTL_URL, listOfLists({ sequence: 6, pointers }))
    assert.deepEqual(summary(await refresh()).lists, ['DE 3'])
    pointers[0] = { ...pointer('DE'), location: 'https://de.example/moved/moved' }
    web.set(LOTL_URL, listOfLists({ sequence: 7, pointers }))
    web.delete('https://de.example/tl.xml')
    assert.deepEqual(summary(await refresh()).problems, ['DE unreachable'])
  })

  function memory(): ListFiles & { files: Map<string, Buffer> } {
    const files = new Map<string, Buffer>()
    return {
      files,
      read: (name) => Promise.resolve(files.get(name) ?? null),
      write: (name, bytes) => Promise.resolve(void files.set(name, bytes)),
    }
  }

  it('gives back what was stored, verified again, and keeps former lists', async () => {
    const files = memory()
    const before = await refresh()
    await saveLists(files, before.snapshot)
    const loaded = await loadLists(files, pinned)
    assert.deepEqual(summary(loaded), summary(before))
    assert.deepEqual(loaded.snapshot.lists[0]?.retrievedAt, NOW)
    web.set('https://de.example/tl.xml', national({ sequence: 4 }))
    await saveLists(files, (await refresh(loaded.snapshot)).snapshot)
    assert.deepEqual(summary(await loadLists(files, pinned)).lists, ['AT 2', 'DE 4'])
    assert.equal(files.files.size, 5, 'index, list of the lists, two of Germany, one of Austria')
  })

  it('believes nothing because it is stored', async () => {
    const files = memory()
    await saveLists(files, (await refresh()).snapshot)
    assert.deepEqual(summary(await loadLists(files, [stranger.certificate])), {
      lotl: null,
      lists: [],
      problems: ['EU signature'],
    })
    const [, altered = Buffer.alloc(0)] = [...files.files].find(([name]) => name.endsWith('.xml')) ?? []
    altered[100] = (altered[100] ?? 0) ^ 1
    await assert.rejects(loadLists(files, pinned), { code: 'signing/trust-store-damaged' })
    for (const text of [
      '',
      '{}',
      '{"version":1,"lists":[{}]}',
      '{"version":1,"lists":[{"role":"lotl","sha256":"../x"}]}',
    ]) {
      files.files.set('index.json', Buffer.from(text))
      await assert.rejects(loadLists(files, pinned), { code: 'signing/trust-store-damaged' }, text)
    }
    assert.deepEqual(await loadLists(memory(), pinned), { snapshot: NO_LISTS, problems: [] })
  })

  it('takes over a bundle, of each territory the newer list, or nothing of it', async () => {
    const bundle = memory()
    await saveLists(bundle, (await refresh()).snapshot)
    web.set('https://de.example/tl.xml', national({ sequence: 9 }))
    web.set(LOTL_URL, listOfLists({ sequence: 5 }))
    const { snapshot: ours } = await refresh(NO_LISTS, { territories: ['DE'] })
    const taken = await importLists(bundle, pinned, ours)
    assert.deepEqual(summary({ snapshot: taken, problems: [] }), { lotl: 5, lists: ['DE 9', 'AT 2'], problems: [] })
    web.set(LOTL_URL, listOfLists({ sequence: 6 }))
    const { snapshot: newer } = await refresh()
    const refused = { code: 'signing/trust-store-damaged' }
    await assert.rejects(importLists(bundle, pinned, newer), refused, 'an older list of the lists')
    await assert.rejects(importLists(bundle, [stranger.certificate], NO_LISTS), refused)
    await assert.rejects(importLists(memory(), pinned, NO_LISTS), refused)
  })
})

describe('lists of member states', () => {
  const manifest = join(sharedData, 'tl', 'manifest.json')
  if (!existsSync(manifest)) {
    console.log('    common test data are not beside the repository: real lists not read')
    return
  }
  interface RealList {
    file: string
    territory: string | null
    sequence: string
    version: string
    services: number
    historyInstances: number
    pointers: number
    expected: string | { integrity: boolean }[]
  }
  const { real, synthetic } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    real: RealList[]
    synthetic: { tl: string }[]
  }
  const read = (name: string): Buffer => readFileSync(join(sharedData, 'tl', name))

  for (const one of real) {
    it(`judges ${one.file} as expected`, () => {
      const bytes = read(one.file)
      const signature = verifyEnveloped(bytes)
      assert.equal(signature.kind === 'holds', typeof one.expected !== 'string' && one.expected[0]?.integrity === true)
      const signers = signature.kind === 'holds' ? [signature.certificate] : []
      const type = one.territory === 'EU' ? 'EUlistofthelists' : 'EUgeneric'
      const verdict = checkList(bytes, origin, { type, territory: one.territory ?? '', signers, previous: null })
      if (signature.kind !== 'holds') assert.ok(verdict.kind === 'refused')
      else if (one.version === '4') assert.ok(verdict.kind === 'refused' && verdict.reason === 'version')
      else assert.ok(verdict.kind === 'accepted')
      if (signature.kind !== 'holds') return
      const { territory, sequence, services, pointers } = parseTrustedList(bytes)
      const past = services.reduce((sum, { states }) => sum + states.length - 1, 0)
      assert.deepEqual(
        [territory, String(sequence), services.length, past, pointers.length],
        [one.territory, one.sequence, one.services, one.historyInstances, one.pointers],
      )
    })
  }

  it('walks the real pivots from the signers of 2019 to the list of 2026', () => {
    const of2019 = parseTrustedList(read('real/eu-lotl.xml'))
    const pinned = of2019.pointers
      .filter(({ type }) => type === 'EUlistofthelists')
      .flatMap(({ certificates }) => certificates)
    const pivot = (number: number) => ({
      bytes: read(`real/pyhanko-eu-lotl-pivot-${number}.xml`),
      location: `https://ec.europa.eu/tools/lotl/eu-lotl-pivot-${number}.xml`,
      retrievedAt: null,
    })
    const current = { bytes: read('real/pyhanko-eu-lotl.xml'), location: LOTL_URL, retrievedAt: null }
    assert.equal(checkListOfLists(current, pinned, [pivot(335), pivot(282)], of2019).kind, 'accepted')
    assert.equal(checkListOfLists(current, pinned, [pivot(335)], of2019).kind, 'refused')
    assert.equal(checkListOfLists(current, pinned, [], of2019).kind, 'refused')
  })

  it('goes from the synthetic list of the lists to the national one', async () => {
    const pem = read('lotl-signer.pem').toString()
    const pinned = [parseCertificate(Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64'))]
    const http: Http = ({ url }) => {
      const name = url === LOTL_URL ? 'lotl-test.xml' : 'tl-granted-eseal-esig.xml'
      return Promise.resolve({ status: 200, headers: {}, body: read(name) })
    }
    const options = { http, now: NOW, lotlUrl: LOTL_URL, pinned, territories: [], previous: NO_LISTS }
    const { snapshot, problems } = await refreshLists(options)
    assert.deepEqual(problems, [])
    assert.deepEqual(
      snapshot.lists.map(({ list, location }) => [list.territory, location]),
      [['DE', 'https://tl.bp-test.invalid/de.xml']],
    )
  })

  it('uses the synthetic lists that the test authority signed, and not the one that was changed', () => {
    const pem = read('lotl-signer.pem')
      .toString()
      .replace(/-----[^-]+-----/g, '')
    const signers = [parseCertificate(Buffer.from(pem, 'base64'))]
    for (const { tl } of synthetic)
      assert.equal(refusal(read(tl), { signers }), tl.includes('broken') ? 'signature' : 'accepted', tl)
  })
})
