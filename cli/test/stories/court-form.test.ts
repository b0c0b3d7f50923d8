/** A clerk asks before sending: the court-form check at the command line, with trusted lists from a server on loopback. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { bufferAccess } from '../../../signing/index.ts'
import { signAsic } from '../../../signing/asic/write.ts'
import { buildPdf, onePage } from '../../../signing/test/build-pdf.ts'
import { bytesOf, courtPeople, signatureOver, signedPdf } from '../../../signing/test/support/court-people.ts'
import { signedList } from '../../../signing/test/support/test-lists.ts'
import { issue } from '../../../signing/test/trust-pki.ts'
import { temporaryInstallation, type Installation } from '../support/cli.ts'

describe('amtsbote court-form', () => {
  const now = new Date()
  const { authority, person, seal } = courtPeople(now)
  const commission = issue({ name: 'Commission' })
  const agency = issue({ name: 'Agency' })
  let server: Server
  let installation: Installation
  const at = (name: string): string => path.join(installation.folder, name)
  const check = (...args: string[]) =>
    installation.cli('court-form', ...args.map((one) => (one.startsWith('-') || !one.includes('.') ? one : at(one))))

  before(async () => {
    const web = new Map<string, Buffer>()
    server = createServer((request, response) => {
      const body = web.get(request.url ?? '')
      response.writeHead(body === undefined ? 404 : 200).end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const nextUpdate = new Date(now.getTime() + 90 * 86_400_000).toISOString()
    const pointers = [{ location: `${base}/de.xml`, territory: 'DE', certificates: [agency.certificate.der] }]
    web.set('/lotl.xml', signedList({ type: 'EUlistofthelists', territory: 'EU', pointers, nextUpdate }, commission))
    web.set('/de.xml', signedList({ services: [{ certificates: [authority] }], nextUpdate }, agency))
    installation = temporaryInstallation(['trust:', `  lotlUrl: ${base}/lotl.xml`, '  allowedHosts: [127.0.0.1]'])
    mkdirSync(at('data/trust/lotl'), { recursive: true })
    writeFileSync(at('data/trust/lotl/oj.cer'), commission.certificate.der)
    await installation.json('trust', 'refresh')

    const letter = buildPdf({ objects: onePage() })
    writeFileSync(at('Klage.pdf'), await signedPdf(letter, person, now))
    writeFileSync(at('Gesiegelt.pdf'), await signedPdf(letter, seal, now))
    writeFileSync(at('Antrag.pdf'), letter)
    writeFileSync(at('Anlage.csv'), 'a;b')
    writeFileSync(at('Akten.zip'), Buffer.from('UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==', 'base64'))
    const script = onePage({ 1: '<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>' })
    const active = buildPdf({ objects: script })
    writeFileSync(at('Aktiv.pdf'), active)
    writeFileSync(at('Aktiv.pdf.p7s'), await signatureOver(active, person, now))
    const files = ['Klage.pdf', 'Anlage.pdf'].map((name) => ({
      ...{ name, mimeType: 'application/pdf' },
      content: bufferAccess(letter),
    }))
    writeFileSync(
      at('Alles.asice'),
      await bytesOf(await signAsic(files, person, { container: 'asic-e', signedAt: now })),
    )
  })
  after(() => {
    server.close()
    installation.end()
  })

  it('ends with 0 for a filing that keeps the form, its exhibits included', async () => {
    const { code, out, err } = await check('Klage.pdf', '--exhibit', 'Anlage.csv')
    assert.equal(code, 0, out + err)
    assert.match(out, /^FORM GEWAHRT /)
    assert.match(out, /Klage\.pdf .*PDF 1\.7\)\n +Form: eigene gültige qualifizierte Signatur/)
    assert.match(out, /Anna Amt .*, gültig, qualifizierte elektronische Signatur/)
    assert.match(out, /Anlage\.csv {2}\(Anlage\)/)
  })

  it('ends with 3 for a container signature, a seal and a missing VHN, and names the paragraphs', async () => {
    const { code, out } = await check('Alles.asice', 'Gesiegelt.pdf', 'Antrag.pdf')
    assert.equal(code, 3)
    assert.match(out, /^FORM NICHT GEWAHRT /)
    assert.match(out, /Containersignatur\)\. \(§ 4 Abs\. 2 ERVV\)/)
    assert.match(out, /Ein Siegel ersetzt bei Gericht nicht/)
    assert.match(out, /VHN fehlt\. \(§ 130a Abs\. 3, 4 ZPO\)/)
  })

  it('ends with 3 for forbidden content, although the form is kept', async () => {
    const { code, out } = await check('Aktiv.pdf', 'Aktiv.pdf.p7s', '--exhibit', 'Akten.zip', '--lang', 'en')
    assert.equal(code, 3)
    assert.match(out, /^DO NOT FILE LIKE THIS /)
    assert.match(out, /\[!\] The file has JavaScript in it\. \(.*ERVB Nr\. 1\) \[object 1\]/)
    assert.match(out, /\[x\] Akten\.zip/)
    assert.match(out, /Form: own valid qualified signature/)
  })

  it('takes a typed name on the secure way that the caller names', async () => {
    const { code, out } = await check('Antrag.pdf', '--secure-way', 'vhn')
    assert.equal(code, 0)
    assert.match(out, /\[!\] Ohne qualifizierte Signatur gilt die einfache/)
    assert.match(out, /beBPo mit VHN, nach Ihrer Angabe/)
  })

  it('ends with 4 where nothing is wrong and something cannot be decided', async () => {
    const stranger = temporaryInstallation()
    try {
      const { code, out } = await stranger.cli('court-form', at('Klage.pdf'), '--offline')
      assert.equal(code, 4)
      assert.match(out, /^NICHT ABSCHLIESSEND GEPRÜFT /)
    } finally {
      stranger.end()
    }
  })

  it('answers programs with rules, paragraphs and the digests of what was checked', async () => {
    const { code, out } = await installation.cli('--json', 'court-form', at('Antrag.pdf'))
    assert.equal(code, 3)
    const report = JSON.parse(out) as {
      verdict: string
      files: { sha256: string; findings: { rule: string; basis: string; reason: { de: string; en: string } }[] }[]
    }
    assert.equal(report.verdict, 'not-kept')
    const [finding] = report.files[0]?.findings ?? []
    assert.deepEqual([finding?.rule, finding?.basis], ['signature-missing', '§ 130a Abs. 3, 4 ZPO'])
    assert.ok(finding !== undefined && finding.reason.de !== finding.reason.en)
    assert.match(report.files[0]?.sha256 ?? '', /^[0-9a-f]{64}$/)
  })

  it('changes nothing on the disk', async () => {
    const before = readFileSync(at('Klage.pdf'))
    await check('Klage.pdf')
    assert.ok(readFileSync(at('Klage.pdf')).equals(before))
  })

  for (const [what, ...args] of [
    ['a file that is not there', 'absent.pdf'],
    ['a file that is named twice', 'Klage.pdf', '--exhibit', 'Klage.pdf'],
    ['another way', 'Klage.pdf', '--secure-way', 'fax'],
  ] as const) {
    it(`refuses ${what} in one line`, async () => {
      const { code, out } = await check(...args)
      assert.equal(code, 2)
      assert.equal(out, '')
    })
  }
})
