/** The client for time-stamps against a real authority on loopback. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { X509Certificate } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttpClient, isPublicAddress } from '../http-client.ts'
import { nextRenewal } from '../timestamp/renewal.ts'
import { verifyToken } from '../timestamp/token.ts'
import { programsFor, run } from './programs.ts'
import { startTestAuthority } from './support/test-authority.ts'
import type { TestAuthority } from './support/test-authority.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const CONTENT = Buffer.from('Bescheid')
const DIGEST = createHash('sha256').update(CONTENT).digest()
const unavailable = { code: 'signing/timestamp-unavailable' }

describe('time-stamps from an authority', () => {
  let authority: TestAuthority
  beforeEach(async () => {
    authority = await startTestAuthority(NOW)
  })
  afterEach(() => authority.close())

  it('gets one that holds together', async () => {
    const token = await authority.timestamps().stamp(DIGEST)
    assert.deepEqual(token.info.imprint.value, DIGEST)
    assert.equal(token.info.genTime.getTime(), NOW.getTime())
    assert.equal((await verifyToken(token)).kind, 'good')
  })

  it('asks an authority that refuses three times, then the next', async () => {
    const timestamps = authority.timestamps({
      services: [{ url: `${authority.url}/nowhere` }, { url: `${authority.url}/tsa` }],
    })
    await timestamps.stamp(DIGEST)
    assert.deepEqual(authority.asked, ['/nowhere', '/nowhere', '/nowhere', '/tsa'])
  })

  it('sends a new nonce with every attempt', async () => {
    const nonces = new Set<string>()
    authority.tsaMood = 'http-500'
    const timestamps = authority.timestamps({
      http: (request) => {
        nonces.add(request.body?.toString('hex') ?? '')
        return authority.http(request)
      },
    })
    await assert.rejects(timestamps.stamp(DIGEST), unavailable)
    assert.equal(nonces.size, 3)
  })

  for (const mood of ['wrong-nonce', 'wrong-imprint', 'refuse', 'http-500'] as const) {
    it(`gives no time-stamp when the authority answers ${mood}`, async () => {
      authority.tsaMood = mood
      await assert.rejects(authority.timestamps().stamp(DIGEST), unavailable)
    })
  }

  it('does not wait for ever', async () => {
    authority.tsaMood = 'silent'
    await assert.rejects(authority.timestamps({ timeoutMs: 30 }).stamp(DIGEST), unavailable)
    assert.equal(authority.asked.length, 3)
  })

  it('does not believe a time far from its own clock', async () => {
    const clock = new Date(NOW.getTime() + 6 * 60 * 1000 + 2000)
    await assert.rejects(authority.timestamps({ now: () => clock }).stamp(DIGEST), /time \(/)
  })

  it('does not believe an authority without a trusted path', async () => {
    await assert.rejects(authority.timestamps({ trusts: () => false }).stamp(DIGEST), /untrusted/)
  })

  it('leaves an authority alone after three failures, and comes back after a minute', async () => {
    const timestamps = authority.timestamps()
    authority.tsaMood = 'wrong-nonce'
    for (let count = 0; count < 3; count++) await assert.rejects(timestamps.stamp(DIGEST), unavailable)
    authority.tsaMood = 'ok'
    await assert.rejects(timestamps.stamp(DIGEST), /resting/)
    assert.equal(authority.asked.length, 3)
    authority.now = new Date(NOW.getTime() + 61_000)
    await timestamps.stamp(DIGEST)
  })

  it('knows until when a time-stamp needs a successor, and why', async () => {
    const token = await authority.timestamps().stamp(DIGEST)
    const [tsa] = token.tsaCandidates
    assert.ok(tsa)
    const day = 24 * 60 * 60 * 1000
    // the test authority's certificate ends in ten years, P-256 in the German view earlier
    const { reason, from, end } = nextRenewal(token, tsa, 'bnetza', NOW)
    const certificate = nextRenewal(token, { ...tsa, notAfter: new Date(NOW.getTime() + 100 * day) }, 'bnetza', NOW)
    assert.equal(certificate.reason, 'certificate')
    assert.equal(certificate.from.getTime(), NOW.getTime() + 10 * day)
    assert.equal((end.getTime() - from.getTime()) / day, reason === 'certificate' ? 90 : 180)
  })

  it('is not led into the own network', async () => {
    const http = createHttpClient()
    const ask = (url: string): Promise<unknown> => http({ method: 'GET', url, timeoutMs: 1000, maxBytes: 10 })
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254', '10.0.0.1', '0']) {
      await assert.rejects(ask(`http://${host}:${new URL(authority.url).port}/root.crl`), {
        code: 'signing/fetch-failed',
      })
    }
    await assert.rejects(ask('file:///etc/passwd'), { code: 'signing/fetch-failed' })
    assert.deepEqual(authority.asked, [])
    assert.ok(isPublicAddress('8.8.8.8') && isPublicAddress('2a00:1450:4001::1'))
  })

  it('stops reading an answer that is too long', async () => {
    const request = { method: 'GET', url: `${authority.url}/root.crl`, timeoutMs: 1000, maxBytes: 10 } as const
    await assert.rejects(authority.http(request), /too long/)
  })

  if (programsFor('time-stamps before OpenSSL', 'openssl')) {
    it('OpenSSL verifies what the test authority makes', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'amtsbote-tsa-'))
      const file = (name: string): string => join(folder, name)
      const token = await authority.timestamps().stamp(DIGEST)
      await writeFile(file('content'), CONTENT)
      await writeFile(file('token'), token.der)
      await writeFile(file('root.pem'), new X509Certificate(authority.root).toString())
      const verify = ['ts', '-verify', '-in', file('token'), '-token_in', '-data', file('content')]
      const result = await run('openssl', ...verify, '-CAfile', file('root.pem'))
      await rm(folder, { recursive: true })
      assert.match(result.output, /Verification: OK/)
    })
  }
})
