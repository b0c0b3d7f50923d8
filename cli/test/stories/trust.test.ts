import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { listXml, signedList, type TestList } from '../../../signing/test/support/test-lists.ts'
import { issue } from '../../../signing/test/trust-pki.ts'
import { systemWorld, trustOf } from '../../compose.ts'
import { loadConfig } from '../../config.ts'
import { startServing } from '../../serving.ts'
import { nextNight } from '../../trust-refresh.ts'
import { refreshInThread } from '../../trust-refresh-thread.ts'
import { giveKeys, temporaryInstallation, type Installation } from '../support/cli.ts'

const DAY_MS = 86_400_000
const commission = issue({ name: 'Commission' })
const agency = issue({ name: 'Agency' })
const authority = issue({ name: 'Qualified CA', ca: true })
const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`

interface Row {
  territory: string
  sequence: number
  state: string
}

describe('amtsbote trust', () => {
  let server: Server
  let base = ''
  let installation: Installation
  const web = new Map<string, Buffer>()
  let asked: string[] = []
  const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString()

  function publish(german: TestList = {}, sequence = 1): void {
    const location = `${base}/de.xml`
    const pointers = [{ location, territory: 'DE', certificates: [agency.certificate.der] }]
    const nextUpdate = inDays(90)
    const lotl: TestList = { type: 'EUlistofthelists', territory: 'EU', sequence, pointers, nextUpdate }
    const services = [{ certificates: [authority.certificate.der], provider: 'Provider', name: 'CA 1' }]
    web.set('/lotl.xml', signedList(lotl, commission))
    web.set('/de.xml', signedList({ services, nextUpdate, ...german }, agency))
  }

  before(async () => {
    server = createServer((request, response) => {
      const body = web.get(request.url ?? '')
      asked.push(request.url ?? '')
      response.writeHead(body === undefined ? 404 : 200).end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.close()
  })
  beforeEach(() => {
    installation = newInstallation()
    web.clear()
  })
  afterEach(() => {
    installation.end()
  })

  function newInstallation(): Installation {
    const made = temporaryInstallation(['trust:', `  lotlUrl: ${base}/lotl.xml`, '  allowedHosts: [127.0.0.1]'])
    mkdirSync(path.join(made.folder, 'data', 'trust', 'lotl'), { recursive: true })
    writeFileSync(path.join(made.folder, 'data', 'trust', 'lotl', 'oj.pem'), pem(commission.certificate.der))
    return made
  }

  it('fetches lists, shows them and uses them for anchors and answers', async () => {
    publish({ sequence: 7 })
    const rows = (await installation.json('trust', 'refresh')) as Row[]
    assert.deepEqual(
      rows.map(({ territory, sequence, state }) => [territory, sequence, state]),
      [
        ['EU', 1, 'current'],
        ['DE', 7, 'current'],
      ],
    )
    const status = await installation.cli('trust', 'status')
    assert.equal(status.code, 0)
    assert.match(status.out, /^TERRITORY .*\nEU .*\nDE +7 /)
    const { anchors, listReports } = await trustOf(loadConfig(installation.config), systemWorld('silent')).current()
    assert.deepEqual(
      anchors.map(({ source }) => source),
      ['trusted list DE 7: Provider, CA 1 (CA/QC)'],
    )
    assert.equal(listReports(new Date()).length, 2)
  })

  it('ends with 3 and one line when a list is refused, and goes on with the one before', async () => {
    publish({ sequence: 7 })
    await installation.json('trust', 'refresh')
    web.set('/de.xml', Buffer.from(listXml({ sequence: 8 })))
    const refused = await installation.cli('trust', 'refresh')
    assert.equal(refused.code, 3)
    assert.equal(refused.err, 'amtsbote: not as it should be: DE signature (unsigned)\n')
    assert.match(refused.out, /DE +7 /)
    web.clear()
    const alone = await installation.cli('trust', 'refresh')
    assert.equal(alone.code, 3)
    assert.match(alone.err, /EU unreachable \(HTTP status 404\); DE unreachable/)
    assert.equal((await installation.cli('trust', 'status')).code, 0)
  })

  it('ends with 3 when there are no lists or when one is overdue', async () => {
    const none = await installation.cli('trust', 'status')
    assert.equal(none.code, 3)
    assert.match(none.err, /there are no trusted lists; run `amtsbote trust refresh`/)
    publish({ nextUpdate: inDays(-1) })
    await installation.json('trust', 'refresh')
    const overdue = await installation.cli('trust', 'status')
    assert.equal(overdue.code, 3)
    assert.match(overdue.err, /overdue: DE/)
  })

  it('asks for the certificates of the Official Journal', async () => {
    publish()
    rmSync(path.join(installation.folder, 'data', 'trust', 'lotl'), { recursive: true })
    const { code, err } = await installation.cli('trust', 'refresh')
    assert.equal(code, 2)
    assert.match(
      err,
      /trust\.lotlCertificatesFolder: .* holds no certificate; put those from the Official Journal there\n$/,
    )
  })

  it('carries lists to an installation without network, and refuses a damaged bundle', async () => {
    publish({ sequence: 7 })
    await installation.json('trust', 'refresh')
    const bundle = path.join(installation.folder, 'bundle')
    assert.equal((await installation.cli('trust', 'export', bundle)).code, 0)
    web.clear()
    const other = newInstallation()
    try {
      assert.equal((await other.cli('trust', 'import', bundle)).code, 0)
      assert.equal((await other.cli('trust', 'status')).code, 0)
      const [name = ''] = readdirSync(bundle).filter((one) => one.endsWith('.xml'))
      const bytes = readFileSync(path.join(bundle, name))
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
      writeFileSync(path.join(bundle, name), bytes)
      const refused = await other.cli('trust', 'import', bundle)
      assert.equal(refused.code, 3)
      assert.match(
        refused.err,
        /^amtsbote: the bundle is refused, nothing of it is used: .* is missing or was altered\n$/,
      )
      assert.equal((await other.cli('trust', 'status')).code, 0)
      assert.match((await other.cli('trust', 'import', installation.folder)).err, /holds no list of the lists/)
    } finally {
      other.end()
    }
  })

  it('says nothing from stored lists that were altered, and what to do', async () => {
    publish()
    await installation.json('trust', 'refresh')
    const lists = path.join(installation.folder, 'data', 'trust', 'lists')
    for (const name of readdirSync(lists)) if (name.endsWith('.xml')) writeFileSync(path.join(lists, name), '<x/>')
    const { code, err } = await installation.cli('trust', 'status')
    assert.equal(code, 1)
    assert.match(err, /was altered: restore `trust\/lists` in the data folder from a backup, or remove it/)
  })

  it('trusts certificates of the operator, for the purposes named', async () => {
    const file = installation.file('own.pem', pem(authority.certificate.der))
    assert.equal((await installation.cli('trust', 'add', file, '--purpose', 'timestamping')).code, 0)
    const all = installation.file('all.der', '')
    writeFileSync(all, agency.certificate.der)
    await installation.json('trust', 'add', all)
    const rows = (await installation.json('trust', 'list')) as { sha256: string; purposes: string[]; source: string }[]
    assert.deepEqual(
      rows.map(({ sha256, purposes }) => [sha256, purposes]),
      [
        [agency.certificate.sha256, ['signing', 'timestamping', 'revocation']],
        [authority.certificate.sha256, ['timestamping']],
      ],
    )
    assert.match(rows[1]?.source ?? '', /^own: timestamping\//)
    const wrong = await installation.cli('trust', 'add', installation.file('no.pem', 'nothing'))
    assert.equal(wrong.code, 2)
    assert.match(wrong.err, /no\.pem is no certificate in PEM or DER/)
    assert.equal((await installation.cli('trust', 'add', file, '--purpose', 'magic')).code, 2)
  })

  it('sees lists and anchors that another process changed', async () => {
    publish({ sequence: 7 })
    const trust = trustOf(loadConfig(installation.config), systemWorld('silent'))
    assert.equal((await trust.current()).anchors.length, 0)
    await installation.json('trust', 'refresh')
    const first = await trust.current()
    assert.equal(first.anchors.length, 1)
    assert.equal(await trust.current(), first, 'nothing changed: nothing is read again')
    await installation.json('trust', 'add', installation.file('own.pem', pem(agency.certificate.der)))
    assert.equal((await trust.current()).anchors.length, 2)
  })

  describe('in a running server', function () {
    this.timeout(60_000)

    interface Row {
      due: string
      failures: number
      lastError: string | null
      attempts: number
      state: string
    }
    const jobs = async (): Promise<Row[]> =>
      (await installation.json('job', 'list', '--kind', 'trust-refresh')) as Row[]

    /** How often the event loop came round while the list that was fetched last was worked on. */
    async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
      const state = { ended: false, turns: 0 }
      const worked = work().finally(() => (state.ended = true))
      asked = []
      while (!state.ended) {
        await nextTurn()
        if (asked.includes('/de.xml')) state.turns++
      }
      await worked
      return state.turns
    }

    /** A server that has had time for its first work; the job of its refresh as it stands then. */
    async function serveOnce(): Promise<Row | undefined> {
      await giveKeys(installation)
      const serving = await startServing(loadConfig(installation.config), systemWorld('silent'))
      try {
        await serving.ready
        for (;;) {
          const [job] = await jobs()
          if (job === undefined || (job.state === 'ready' && new Date(job.due) > new Date())) return job
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      } finally {
        await serving.stop()
      }
    }

    it('are fetched soon after the start when there are none, and again in the night', async () => {
      publish({ sequence: 7 })
      const job = await serveOnce()
      assert.equal(job?.lastError, null)
      assert.equal(job.attempts, 1)
      assert.ok([2, 3].includes(new Date(job.due).getHours()), job.due)
      assert.equal((await installation.cli('trust', 'status')).code, 0)
    })

    it('are read and verified beside the requests, however large they are', async () => {
      const { der } = authority.certificate
      const services = Array.from({ length: 1500 }, (_, n) => ({ certificates: [der], name: `CA ${n}` }))
      publish({ services })
      const { trust: config } = loadConfig(installation.config)
      const refreshing = await turnsDuring(async () => {
        const result = await refreshInThread({ config, now: new Date() }, new AbortController().signal)
        assert.deepEqual(result, { kind: 'refreshed', lists: 1, problems: [] })
      })
      const here = await turnsDuring(() => trustOf({ trust: config }, systemWorld('silent')).refresh())
      assert.ok(refreshing > 10 * here, `${refreshing} turns of the event loop, ${here} without a thread`)
    })

    it('are left alone at the start while they are current, and fetched once they say that they are old', async () => {
      publish({ sequence: 7 })
      await installation.json('trust', 'refresh')
      assert.equal((await serveOnce())?.attempts, 0)
      publish({ sequence: 8, nextUpdate: inDays(-1) }, 2)
      await installation.json('trust', 'refresh')
      publish({ sequence: 9 }, 3)
      assert.equal((await serveOnce())?.attempts, 1)
      const rows = (await installation.json('trust', 'status')) as Row[]
      assert.match(JSON.stringify(rows), /"DE","sequence":9/)
    })

    it('stay in use when the network is away; the job says so and tries again soon', async () => {
      publish({ sequence: 7, nextUpdate: inDays(-1) })
      await installation.json('trust', 'refresh')
      web.clear()
      const job = await serveOnce()
      assert.deepEqual([job?.lastError, job?.failures], ['EU:unreachable DE:unreachable', 1])
      assert.ok(new Date(job?.due ?? 0).getTime() - Date.now() <= 10_000)
      assert.match((await installation.cli('trust', 'status')).out, /DE +7 /)
    })

    it('stay in use when one is refused; the job names it and tries again in the night', async () => {
      publish({ sequence: 7, nextUpdate: inDays(-1) })
      await installation.json('trust', 'refresh')
      web.set('/de.xml', Buffer.from(listXml({ sequence: 8 })))
      const job = await serveOnce()
      assert.deepEqual([job?.lastError, job?.failures], ['DE:signature', 1])
      assert.ok([2, 3].includes(new Date(job?.due ?? 0).getHours()))
      assert.match((await installation.cli('trust', 'status')).out, /DE +7 /)
    })

    it('are waited for in silence until the certificates of the Official Journal are there', async () => {
      rmSync(path.join(installation.folder, 'data', 'trust', 'lotl'), { recursive: true })
      const job = await serveOnce()
      assert.deepEqual([job?.lastError, job?.attempts], [null, 1])
    })

    it('are not asked for where there is no network', async () => {
      const offline = temporaryInstallation(['trust:', '  online: false'])
      installation.end()
      installation = offline
      assert.equal(await serveOnce(), undefined)
    })

    it('come between two and four at night, the next one', () => {
      const at = (byte: number, hour: number, minute = 0): number[] => {
        const next = nextNight(new Date(2026, 9, 31, hour, minute), () => Buffer.from([byte]))
        return [next.getMonth(), next.getDate(), next.getHours(), next.getMinutes()]
      }
      assert.deepEqual(at(0, 1, 59), [9, 31, 2, 0])
      assert.deepEqual(at(0, 2, 0), [10, 1, 2, 0])
      assert.deepEqual(at(119, 15), [10, 1, 3, 59])
      assert.deepEqual(at(255, 15), [10, 1, 2, 15])
    })
  })
})
