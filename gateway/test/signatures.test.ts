/** What the room says about the signatures of its files: page, JSON, report for the file; detached signatures by name. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  bufferAccess,
  makeTrialIdentity,
  openPkcs12,
  parseCertificate,
  sealPdf,
  signCades,
  validateDocument,
} from '../../signing/index.ts'
import type { SigningKey } from '../../signing/index.ts'
import type { Room, User } from '../../storage/index.ts'
import { buildPdf, onePage } from '../../signing/test/build-pdf.ts'
import { startTestThreads } from '../../signing/test/support/validation-threads.ts'
import { openBrowser, signIn } from './support/browser.ts'
import type { Browser } from './support/browser.ts'
import { PASSWORD, openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'
import type { Validate } from '../index.ts'

const PDF = buildPdf({ objects: onePage() })

describe('signatures of a file in a room', function () {
  this.timeout(30_000)
  let house: WebHouse
  let key: SigningKey
  let user: User
  let room: Room
  let browser: Browser
  let sealed: Buffer

  before(async () => {
    const names = { commonName: 'Siegel', organisation: 'Übungsstadt', passphrase: 'nur zum Testen' }
    const now = new Date()
    const identity = await makeTrialIdentity({ ...names, usage: 'seal', now, random: randomBytes })
    key = (await openPkcs12(identity.pkcs12, names.passphrase)).signing
    const anchors = [{ certificate: parseCertificate(key.certificateChain[0]), source: 'test' }]
    const validate: Validate = (document, content) =>
      validateDocument(document, { anchors, now: new Date(), producer: 'amtsbote test', detached: () => content })
    house = await openWebHouse({ validate })
    user = await house.person()
    room = await house.room('SB2', [[user, 'contributor']])
    browser = openBrowser(house.url)
    await signIn(browser, user.email, PASSWORD)
    const pieces: Buffer[] = []
    for await (const piece of (await sealPdf(bufferAccess(PDF), key, { signedAt: now })).bytes) pieces.push(piece)
    sealed = Buffer.concat(pieces)
  })
  after(() => house.close())

  it('are judged on a page that says the verdict in words, with the reports to take away', async () => {
    const file = await house.file(room.id, 'Bescheid.pdf', sealed)
    const page = await browser.get(`/files/${file}/signatures`)
    assert.equal(page.status, 200)
    assert.match(page.text, /Siegel1/)
    assert.match(page.text, /PAdES-BASELINE-B/)
    assert.match(page.text, /<strong>Gültig/)
    const links = [...page.text.matchAll(/href="([^"]+format=(\w+))"/g)]
    const seen: string[] = []
    for (const [, link = '', format = ''] of links) {
      const reply = await browser.get(link.replaceAll('&amp;', '&'))
      assert.equal(reply.status, 200, format)
      assert.match(String(reply.headers['content-disposition']), /^attachment; /)
      seen.push(`${format} ${reply.body.toString('latin1', 0, 5)}`)
    }
    assert.deepEqual(seen, ['pdf %PDF-', 'json {\n "v', 'etsi <?xml'])
  })

  it('are invalid once a byte was changed, and the page says what to do', async () => {
    const altered = Buffer.from(sealed)
    altered.writeUInt8(altered.readUInt8(9) ^ 1, 9)
    const file = await house.file(room.id, 'Verändert.pdf', altered)
    const page = await browser.get(`/files/${file}/signatures`)
    assert.match(page.text, /<strong>Ungültig/)
    assert.match(page.text, /HASH_FAILURE/)
    assert.match(page.text, /Was Sie tun können/)
  })

  it('are absent in a document without any', async () => {
    const file = await house.file(room.id, 'Entwurf.pdf', PDF)
    assert.match((await browser.get(`/files/${file}/signatures`)).text, /<strong>Nicht signiert/)
    assert.equal((await browser.get(`/files/${file}/signatures/report?format=etsi`)).status, 404)
  })

  for (const name of ['Brief.docx.p7s', 'Brief.p7s']) {
    it(`lie beside the file as ${name}, and are found from both sides`, async () => {
      const own = await house.room('SB2', [[user, 'contributor']])
      const content = Buffer.from('Sehr geehrte Damen und Herren')
      const cms = await signCades(bufferAccess(content), key, { signedAt: new Date(), form: 'detached' })
      const file = await house.file(own.id, 'Brief.docx', content)
      const signature = await house.file(own.id, name, cms)
      const fromFile = (await browser.json('GET', `/api/files/${file}/signatures`)).json as unknown as Answer
      assert.deepEqual(
        fromFile.reports.map(({ name: of, report }) => [of, report.headline]),
        [
          ['Brief.docx', 'unsigned'],
          [name, 'valid'],
        ],
      )
      const fromSignature = (await browser.json('GET', `/api/files/${signature}/signatures`)).json as unknown as Answer
      assert.equal(fromSignature.reports[0]?.report.headline, 'valid')
    })
  }

  it('are undecided where what was signed is not there', async () => {
    const cms = await signCades(bufferAccess(Buffer.from('fort')), key, { signedAt: new Date(), form: 'detached' })
    const file = await house.file(room.id, 'verwaist.p7s', cms)
    const { reports } = (await browser.json('GET', `/api/files/${file}/signatures`)).json as unknown as Answer
    assert.deepEqual(
      reports[0]?.report.signatures.map(({ subIndication }) => subIndication),
      ['SIGNED_DATA_NOT_FOUND'],
    )
  })

  it('are shown to members alone', async () => {
    const file = await house.file(room.id, 'geheim.pdf', sealed)
    const stranger = openBrowser(house.url)
    await signIn(stranger, (await house.person()).email, PASSWORD)
    assert.equal((await stranger.get(`/files/${file}/signatures`)).status, 404)
  })
})

describe('a document that takes long to validate', function () {
  this.timeout(60_000)
  const threads = startTestThreads({ thinkingMs: 5_000, threads: 2 })
  let house: WebHouse
  let browser: Browser
  let other: Browser
  let room: Room

  before(async () => {
    house = await openWebHouse({
      validate: (document, content) => threads.validate({ document, content, now: new Date() }),
    })
    const [user, colleague] = [await house.person(), await house.person()]
    room = await house.room('SB2', [
      [user, 'contributor'],
      [colleague, 'reader'],
    ])
    browser = openBrowser(house.url)
    other = openBrowser(house.url)
    await signIn(browser, user.email, PASSWORD)
    await signIn(other, colleague.email, PASSWORD)
  })
  after(async () => {
    await threads.close()
    await house.close()
  })

  const signatures = async (text: string, who = browser) =>
    who.json('GET', `/api/files/${await house.file(room.id, `${text}.pdf`, text)}/signatures`)

  it('keeps nobody else waiting', async () => {
    let isJudged = false
    const slow = signatures('wait').finally(() => (isJudged = true))
    assert.equal((await browser.get('/health/live')).status, 200)
    assert.equal((await signatures('plain', other)).status, 200)
    assert.equal(isJudged, false)
    threads.letGo()
    assert.equal((await slow).status, 200)
  })

  it('is given up, and the person is told why', async () => {
    const reply = await signatures('spin')
    assert.equal(reply.status, 422)
    assert.equal(reply.json['type'], 'urn:amtsbote:problem:signing/too-complex')
    assert.equal((await signatures('another')).status, 200)
  })

  it('is a passing fault when the thread ends under it', async () => {
    const reply = await signatures('die')
    assert.equal(reply.status, 503)
    assert.equal(reply.json['type'], 'urn:amtsbote:problem:signing/validation-lost')
    assert.equal((await signatures('one more')).status, 200)
  })
})

interface Answer {
  reports: { name: string; report: { headline: string; signatures: { subIndication: string }[] } }[]
}
