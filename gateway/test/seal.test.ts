import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { makeTrialIdentity, openPkcs12 } from '../../signing/index.ts'
import type { SigningKey } from '../../signing/index.ts'
import type { FileId, RoomId } from '../../storage/index.ts'
import { buildPdf, onePage } from '../../signing/test/build-pdf.ts'
import { createSealer } from '../index.ts'
import type { Sealer } from '../index.ts'
import { openBrowser } from './support/browser.ts'
import { OPERATOR, openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'
import { sealState } from '../../signing/test/support/seal-state.ts'

const PLAIN = { sources: null, level: 'B-B' } as const
const PDF = buildPdf({ objects: onePage() })
/** larger than the chunks in which contents are sealed at rest */
const LARGE = buildPdf({ objects: onePage({ 4: `<</Length 3000000>>\nstream\n${'x'.repeat(3_000_000)}\nendstream` }) })

describe('sealing a stored file', () => {
  let house: WebHouse
  let key: SigningKey
  let sealer: Sealer
  let room: RoomId

  before(async function () {
    this.timeout(30_000)
    house = await openWebHouse({
      seal: Object.assign((...args: Parameters<Sealer>) => sealer(...args), { describe: () => sealer.describe() }),
    })
    const names = { commonName: 'Siegel', organisation: 'Übungsstadt', passphrase: 'nur zum Testen' }
    const identity = await makeTrialIdentity({ ...names, usage: 'seal', now: house.now(), random: randomBytes })
    key = (await openPkcs12(identity.pkcs12, names.passphrase)).signing
    sealer = createSealer({
      setup: PLAIN,
      storage: house.storage,
      key: () => Promise.resolve(key),
      clock: () => house.now(),
    })
    room = (await house.room('SB2')).id
  })
  after(() => house.close())

  async function contentOf(file: FileId): Promise<Buffer> {
    const { current } = await house.storage.files.byId(file)
    const parts: Buffer[] = []
    for await (const part of (await house.storage.contents.open(current.contentId)).stream) parts.push(part as Buffer)
    return Buffer.concat(parts)
  }

  async function unchanged(file: FileId): Promise<void> {
    const versions = await house.storage.files.versions(file)
    assert.deepEqual(
      versions.map(({ number }) => number),
      [1],
    )
  }

  for (const [size, pdf] of [
    ['small', PDF],
    ['large', LARGE],
  ] as const) {
    it(`makes a new version of a ${size} one that begins with the old one and is intact`, async () => {
      const file = await house.file(room, `${size}.pdf`, pdf)
      const sealed = await sealer(file, OPERATOR, { reason: 'Bescheid' })
      assert.deepEqual([sealed.version, sealed.kind], [2, 'trial'])
      const content = await contentOf(file)
      assert.equal(content.length, sealed.size)
      assert.ok(content.subarray(0, pdf.length).equals(pdf))
      assert.equal((await sealState(content)).kind, 'intact')
      const [newest, first] = await house.storage.files.versions(file)
      assert.equal(newest?.sha256, sealed.sha256)
      assert.equal(newest.mediaType, 'application/pdf')
      assert.equal(newest.note, 'sealed (trial)')
      assert.equal(first?.size, pdf.length)
    })
  }

  it('leaves evidence of who sealed what with which certificate', async () => {
    const file = await house.file(room, 'evidence.pdf', PDF)
    const { sha256 } = await sealer(file, OPERATOR)
    const entries = await house.storage.audit.list({ subject: file })
    const entry = entries.items.find(({ action }) => action === 'file.sealed')
    assert.equal(entry?.actor.kind, 'operator')
    assert.equal(entry.detail['sha256'], sha256)
    assert.equal(entry.detail['kind'], 'trial')
    assert.match(String(entry.detail['certificate']), /^[0-9a-f]{64}$/)
    assert.equal((await house.storage.audit.verify()).kind, 'whole')
  })

  it('seals again on top of a seal', async () => {
    const file = await house.file(room, 'twice.pdf', PDF)
    await sealer(file, OPERATOR)
    assert.equal((await sealer(file, OPERATOR)).version, 3)
    const verdict = await sealState(await contentOf(file))
    assert.equal(verdict.kind === 'intact' && verdict.field, 'Siegel2')
  })

  it('bears the mark that the installation has', async () => {
    const file = await house.file(room, 'marked.pdf', PDF)
    const marking = createSealer({
      setup: {
        ...PLAIN,
        mark: (signedAt) => ({
          lines: ['Musterstadt', signedAt.toISOString()],
          place: { corner: 'bottom-right', margin: 30, width: 200, height: 40 },
        }),
      },
      storage: house.storage,
      key: () => Promise.resolve(key),
      clock: () => house.now(),
    })
    await marking(file, OPERATOR)
    const sealed = await contentOf(file)
    assert.equal((await sealState(sealed)).kind, 'intact')
    assert.match(sealed.toString('latin1'), /DejaVuSansCondensed/)
  })

  it('of another kind, or cut off, changes nothing', async () => {
    const text = await house.file(room, 'text.txt', 'Guten Tag')
    await assert.rejects(sealer(text, OPERATOR), { code: 'signing/not-a-pdf' })
    await unchanged(text)
    const cut = await house.file(room, 'cut.pdf', PDF.subarray(0, PDF.length - 20))
    await assert.rejects(sealer(cut, OPERATOR), { code: 'signing/pdf-damaged' })
    await unchanged(cut)
    const empty = await house.file(room, 'empty.pdf', '')
    await assert.rejects(sealer(empty, OPERATOR), { code: 'signing/not-a-pdf' })
    await unchanged(empty)
  })

  it('with a key that fails at the last moment changes nothing and leaves no bytes', async () => {
    const file = await house.file(room, 'fails.pdf', PDF)
    const broken = { ...key, sign: () => Promise.reject(new Error('token pulled')) }
    const failing = createSealer({
      setup: PLAIN,
      storage: house.storage,
      key: () => Promise.resolve(broken),
      clock: () => house.now(),
    })
    await assert.rejects(failing(file, OPERATOR), /token pulled/)
    await unchanged(file)
  })

  it('that got another version meanwhile changes nothing', async () => {
    const file = await house.file(room, 'race.pdf', PDF)
    const slow: SigningKey = {
      ...key,
      sign: async (messages) => {
        await sealer(file, OPERATOR)
        return key.sign(messages)
      },
    }
    const late = createSealer({
      setup: PLAIN,
      storage: house.storage,
      key: () => Promise.resolve(slow),
      clock: () => house.now(),
    })
    await assert.rejects(late(file, OPERATOR), { code: 'storage/wrong-state' })
    assert.equal((await house.storage.files.byId(file)).current.number, 2)
  })

  it('that was erased is not found', async () => {
    const file = await house.file(room, 'erased.pdf', PDF)
    await house.storage.files.erase(file, OPERATOR)
    await assert.rejects(sealer(file, OPERATOR), { code: 'gateway/not-found' })
  })

  it('over HTTP is for members who may, and says what was made', async () => {
    const user = await house.person()
    const shared = await house.room('SB2', [[user, 'manager']])
    const file = await house.file(shared.id, 'http.pdf', PDF)
    const text = await house.file(shared.id, 'http.txt', 'kein PDF')
    const bearer = { authorization: `Bearer ${await house.token(user)}` }
    const browser = openBrowser(house.url)
    const sealed = await browser.send('POST', `/api/files/${file}/seal`, null, bearer)
    assert.deepEqual([sealed.status, sealed.json['version'], sealed.json['kind']], [200, 2, 'trial'])
    const refused = await browser.send('POST', `/api/files/${text}/seal`, null, bearer)
    assert.deepEqual([refused.status, refused.json['type']], [422, 'urn:amtsbote:problem:signing/not-a-pdf'])
    const stranger = { authorization: `Bearer ${await house.token(await house.person())}` }
    assert.equal((await browser.send('POST', `/api/files/${file}/seal`, null, stranger)).status, 404)
  })
})
