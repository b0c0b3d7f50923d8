import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { createPasswords, invitationPath } from '../index.ts'
import { SAMPLE_REPORT } from '../../signing/test/support/sample-report.ts'
import { IDLE_SEALER, OPERATOR, PASSWORD, openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome']
const CHROMIUM = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find((path) => existsSync(path))
/** A folder to leave pictures of the pages in; for looking at them, not for the test. */
const PICTURES = process.env['AMTSBOTE_PICTURES']
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

if (CHROMIUM === undefined && process.env['AMTSBOTE_REQUIRE_SERVICES'] !== '1') {
  console.log('pages in a real browser: not run, there is no Chromium on the PATH')
} else {
  describe('pages in a real browser', function () {
    this.timeout(60_000)
    let house: WebHouse
    let browser: Browser
    const complaints: string[] = []

    before(async () => {
      assert.ok(CHROMIUM, 'no Chromium on the PATH')
      house = await openWebHouse({
        seal: IDLE_SEALER,
        validate: () => Promise.resolve(SAMPLE_REPORT),
      })
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
    })
    after(async () => {
      await browser.close()
      await house.close()
    })

    async function open(options: { dark?: boolean; width?: number; script?: boolean } = {}): Promise<Page> {
      const context = await browser.newContext({
        ...{ locale: 'de-DE', colorScheme: options.dark === true ? 'dark' : 'light' },
        viewport: { width: options.width ?? 1024, height: 800 },
        javaScriptEnabled: options.script ?? true,
      })
      const page = await context.newPage()
      page.on('console', (message) => {
        // What the browser says about a status that the page explains itself is no complaint.
        if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text())
      })
      page.on('pageerror', (error) => complaints.push(error.message))
      return page
    }

    async function check(page: Page, name: string): Promise<void> {
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
      await page.evaluate(AXE)
      const found = await page.evaluate(async (tags) => {
        const { axe } = globalThis as unknown as {
          axe: {
            run(what: unknown, how: unknown): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>
          }
        }
        return (await axe.run('html', { runOnly: tags })).violations.map(
          ({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`,
        )
      }, TAGS)
      assert.deepEqual(found, [], name)
      const overflow = await page.evaluate(() => {
        const root = (
          globalThis as unknown as { document: { documentElement: { scrollWidth: number; clientWidth: number } } }
        ).document.documentElement
        return root.scrollWidth - root.clientWidth
      })
      assert.ok(overflow <= 0, `${name} is ${overflow} px too wide`)
    }

    async function signIn(page: Page, email: string): Promise<void> {
      await page.goto(`${house.url}/login`)
      await page.getByLabel('E-Mail-Adresse').fill(email)
      await page.getByLabel('Passwort').fill(PASSWORD)
      await page.keyboard.press('Enter')
    }

    it('carry an external from the invitation to a downloaded file, without any script', async () => {
      const guest = await house.storage.users.create(
        { email: 'gast@example.org', name: 'Gisela Gast', audience: 'external' },
        OPERATOR,
      )
      const room = await house.room('SB3', [[guest, 'contributor']])
      const expiresAt = new Date(house.now().getTime() + 86_400_000)
      const made = await house.storage.invitations.create(
        { userId: guest.id, purpose: 'join', withCode: true, expiresAt },
        OPERATOR,
      )
      const page = await open({ script: false })
      await page.goto(house.url + invitationPath(made.token))
      await page.getByLabel('Achtstelliger Code').fill(made.code ?? '')
      await page.getByRole('button', { name: 'Weiter' }).click()
      const secret = (await page.locator('.ab-code').innerText()).replaceAll(' ', '')
      await page.getByLabel('Neues Passwort', { exact: true }).fill('Ein Satz mit fünf Wörtern')
      await page.getByLabel('Neues Passwort wiederholen').fill('Ein Satz mit fünf Wörtern')
      await page.getByLabel('Sechsstelliger Code').fill(await house.code(secret))
      await page.getByRole('button', { name: 'Zugang einrichten' }).click()
      await page.getByRole('link', { name: room.name }).click()
      await page
        .getByLabel('Datei auswählen')
        .setInputFiles({ name: 'Plan Größe.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 inhalt') })
      await page.getByRole('button', { name: 'Hochladen' }).click()
      await page.getByText('vollständig gespeichert').waitFor()
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Plan Größe.pdf herunterladen' }).click(),
      ])
      assert.equal(download.suggestedFilename(), 'Plan Größe.pdf')
      assert.equal(readFileSync(await download.path(), 'utf8'), '%PDF-1.7 inhalt')
      await page.context().close()
    })

    it('have no finding of axe, in light and dark, wide and narrow', async () => {
      const user = await house.person({ totp: true, name: 'Dr. Anna-Katharina Muster-Beispiel' })
      const room = await house.room('SB3', [[user, 'manager']])
      await house.room('SB2', [[user, 'reader']])
      const id = await house.file(
        room.id,
        'Bebauungsplan mit sehr langem Namen zur Prüfung des Umbruchs auf schmalen Geräten.pdf',
        'x',
      )
      await house.file(room.id, 'Anlage\u202Efdp.exe', 'y'.repeat(3_000_000))
      const batch = await house.storage.sealBatches.create(
        { roomId: room.id, items: [{ fileId: id, version: 1 }], wishes: {} },
        OPERATOR,
      )
      await house.storage.sealBatches.itemFailed(batch, 0, 'signing/pdf-locked')
      const looks = [
        {},
        { dark: true, width: 320 },
        ...(process.env['AMTSBOTE_PROVE'] === '1' ? [{ width: 768 }, { width: 320 }, { dark: true }] : []),
      ]
      for (const look of looks as { dark?: boolean; width?: number }[]) {
        const name = (page: string) => `${page}-${look.dark === true ? 'dark' : 'light'}-${look.width ?? 1024}`
        const page = await open(look)
        await page.goto(`${house.url}/login`)
        await check(page, name('login'))
        await page.getByLabel('E-Mail-Adresse').fill('niemand@example.org')
        await page.getByLabel('Passwort').fill('stimmt sicher nicht')
        await page.keyboard.press('Enter')
        await page.getByRole('alert').waitFor()
        await check(page, name('login-refused'))
        await signIn(page, user.email)
        await page.getByLabel('Sechsstelliger Code').waitFor()
        await page.goto(`${house.url}/rooms/${room.id}`)
        await check(page, name('code'))
        house.advance(30_000)
        await page.getByLabel('Sechsstelliger Code').fill(await house.code())
        await page.keyboard.press('Enter')
        await page.getByRole('heading', { name: room.name }).waitFor()
        await check(page, name('room'))
        for (const [path, title] of [
          ['/rooms', 'rooms'],
          [`/files/${id}`, 'file'],
          [`/files/${id}/signatures`, 'signatures'],
          [`/seal-batches/${batch}`, 'seal-batch'],
          ['/account', 'account'],
          ['/nowhere', 'error'],
        ] as const) {
          await page.goto(house.url + path)
          await check(page, name(title))
        }
        await page.context().close()
      }
      const expiresAt = new Date(house.now().getTime() + 86_400_000)
      for (const [title, order] of [
        ['first-admin', { userId: null, purpose: 'first-admin', withCode: false, expiresAt }],
        ['invitation-code', { userId: user.id, purpose: 'join', withCode: true, expiresAt }],
      ] as const) {
        const made = await house.storage.invitations.create(order, OPERATOR)
        const page = await open()
        await page.goto(house.url + invitationPath(made.token))
        await check(page, title)
        await page.context().close()
      }
    })

    it('can be used with the keyboard alone', async () => {
      const passwordHash = await createPasswords((n) => Buffer.alloc(n, 7)).hash(PASSWORD)
      const user = await house.storage.users.create(
        { email: 'tastatur@example.org', name: 'Tina Taste', audience: 'staff', passwordHash },
        OPERATOR,
      )
      const room = await house.room('SB2', [[user, 'manager']])
      await house.file(room.id, 'brief.txt', 'x')
      const page = await open()
      await page.goto(`${house.url}/login`)
      // The first field has the focus, as soon as the browser has given it.
      await page.locator('input:focus').waitFor()
      await page.keyboard.type(user.email)
      await page.keyboard.press('Tab')
      await page.keyboard.type(PASSWORD)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Meine Räume' }).waitFor()
      await page.waitForLoadState()
      const focused = () =>
        page.evaluate(
          () =>
            (globalThis as unknown as { document: { activeElement: { textContent: string } } }).document.activeElement
              .textContent,
        )
      await page.keyboard.press('Tab')
      assert.equal(await focused(), 'Zum Inhalt')
      const seen: string[] = []
      for (let n = 0; n < 12 && seen.at(-1) !== room.name; n += 1) {
        await page.keyboard.press('Tab')
        seen.push((await focused()).trim())
      }
      assert.deepEqual(seen, ['Amtsbote', 'English', 'Meine Räume', 'Mein Konto', 'Abmelden', room.name])
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: room.name }).waitFor()
      await page.context().close()
    })

    it('gave the browser nothing to complain about, such as a breach of the content policy', () => {
      assert.deepEqual(complaints, [])
    })
  })
}
