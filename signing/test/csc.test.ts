import assert from 'node:assert/strict'
import { X509Certificate, createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHttpClient } from '../http-client.ts'
import { SigningError } from '../index.ts'
import type { Http, HttpRequest } from '../http.ts'
import { openCscKey } from '../keys/csc.ts'
import type { CscOptions } from '../keys/csc.ts'
import { readCredential, readProvider } from '../keys/csc/credential.ts'
import { createCscService } from '../keys/csc/service.ts'
import type { OpenedKey, SigningKey } from '../keys/signing-key.ts'
import { programsFor } from './programs.ts'
import { sharedData } from './shared-data.ts'
import { RSA_ALGORITHMS, signingKeySuite } from './suites/signing-key.suite.ts'
import { CLIENT, CSC_PIN, startCscServer } from './support/csc-server.ts'
import type { CscServer } from './support/csc-server.ts'
import { certify } from './support/softhsm.ts'
import { ecKey, rsaKey } from './support/test-certificates.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const messages = ['a', 'b', 'c'].map((text) => Buffer.from(text))
const loopback = createHttpClient({ allowedHosts: ['127.0.0.1'] })

function holderOf(key: KeyObject): { key: KeyObject; chain: Buffer[] } {
  const { certificate, issuer } = certify(createPublicKey(key))
  return { key, chain: [certificate, issuer] }
}

function options(server: CscServer, more: Partial<CscOptions> = {}): CscOptions {
  return {
    http: loopback,
    url: server.url,
    authorisation: { kind: 'client', ...CLIENT, tokenUrl: null },
    credential: 'siegel',
    pin: CSC_PIN,
    clock: () => NOW,
    wait: () => Promise.resolve(),
    ...more,
  }
}

if (programsFor('keys at remote services', 'openssl')) {
  for (const version of [1, 2] as const) {
    signingKeySuite(`an RSA key at a service of version ${version}`, RSA_ALGORITHMS, () => started(version, rsaKey()))
    signingKeySuite(
      `a P-256 key at a service of version ${version}`,
      ['ecdsa-sha256', 'ecdsa-sha384', 'ecdsa-sha512'],
      () => started(version, ecKey(), { plainEcdsa: version === 1 }),
    )
    describe(`a key at a service of version ${version}`, () => {
      faults(version)
    })
  }
}

async function started(version: 1 | 2, key: KeyObject, mood: Partial<CscServer['mood']> = {}): Promise<OpenedKey> {
  const server = await startCscServer(version, holderOf(key), ecKey())
  Object.assign(server.mood, mood)
  const { signing } = await openCscKey(options(server))
  return { signing, close: server.close }
}

function faults(version: 1 | 2): void {
  let server: CscServer
  let initial: CscServer['mood']
  before(async () => {
    server = await startCscServer(version, holderOf(ecKey()), ecKey())
    initial = { ...server.mood }
  })
  afterEach(() => {
    Object.assign(server.mood, initial)
    server.calls.length = 0
  })
  after(() => server.close())

  const open = async (more: Partial<CscOptions> = {}): Promise<SigningKey> =>
    (await openCscKey(options(server, more))).signing
  const callsOf = (method: string): number => server.calls.filter((call) => call.method === method).length

  it('splits what is more than one authorisation allows, with the same hashes in both steps', async () => {
    const key = await open()
    const many = Array.from({ length: 12 }, (_, index) => Buffer.from(`${index}`))
    assert.equal((await key.sign(many)).length, 12)
    const hashesOf = (method: string): unknown[] =>
      server.calls.filter((call) => call.method === method).map(({ body }) => body['hashes'] ?? body['hash'])
    assert.deepEqual(hashesOf('credentials/authorize'), hashesOf('signatures/signHash'))
    assert.deepEqual(
      hashesOf('signatures/signHash').map((hashes) => (hashes as string[]).length),
      [5, 5, 2],
    )
    assert.equal(callsOf('oauth2/token'), 1)
  })

  for (const values of ['swapped', 'one-missing', 'other-key', 'damaged'] as const) {
    it(`uses nothing of a batch with values ${values}`, async () => {
      const key = await open()
      server.mood.values = values
      await assert.rejects(key.sign(messages), { name: 'SigningError', code: 'signing/signature-failed' })
      assert.equal(callsOf('signatures/signHash'), 1)
    })
  }

  it('sends a wrong PIN once and never again', async () => {
    const key = await open({ pin: '0000' })
    for (let round = 0; round < 3; round++) await assert.rejects(key.sign(messages), { code: 'signing/pin-refused' })
    assert.equal(callsOf('credentials/authorize'), 1)
  })

  it('gets a new token once when the old one is refused, and no second time', async () => {
    const key = await open()
    server.mood.fail = { method: 'credentials/authorize', status: 401, error: 'invalid_token' }
    assert.equal((await key.sign(messages)).length, 3)
    assert.equal(callsOf('oauth2/token'), 2)
    const wrong = options(server, { authorisation: { kind: 'bearer', token: 'abgelaufen' } })
    await assert.rejects(openCscKey(wrong), { code: 'signing/key-unavailable' })
  })

  it('signs nothing twice: a failing service and a lost answer are faults', async () => {
    const key = await open()
    server.mood.fail = { method: 'signatures/signHash', status: 503, error: 'server_error' }
    await assert.rejects(key.sign(messages), { code: 'signing/key-unavailable' })
    server.mood.fail = { method: 'signatures/signHash', status: 400, error: 'invalid_request' }
    await assert.rejects(key.sign(messages), { code: 'signing/signature-failed' })
    assert.equal(callsOf('signatures/signHash'), 2)
  })

  it('sends again what never left, once', async () => {
    let refusals = 1
    const flaky: Http = (request: HttpRequest) => {
      if (refusals-- <= 0) return loopback(request)
      const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
      return Promise.reject(new SigningError('signing/fetch-failed', 'no answer', { cause }))
    }
    const key = await open({ http: flaky })
    refusals = 1
    assert.equal((await key.sign(messages)).length, 3)
    refusals = 2
    await assert.rejects(key.sign(messages), { code: 'signing/key-unavailable' })
  })

  it('waits for a service that answers later', async () => {
    const key = await open({ asynchronous: true })
    server.mood.asynchronous = true
    assert.equal((await key.sign(messages)).length, 3)
    server.mood.oddSpelling = true
    assert.equal((await key.sign(messages)).length, 3)
    assert.ok(callsOf('signatures/signPolling') >= 4)
  })

  it('renews an authorisation whose time is over before the signature', async () => {
    let now = NOW.getTime()
    const key = await open({ clock: () => new Date((now += 1000)) })
    server.mood.sadSeconds = 1
    assert.equal((await key.sign(messages)).length, 3)
    assert.equal(callsOf('credentials/extendTransaction'), 1)
  })

  it('takes the only credential, and none that is switched off or has another certificate', async () => {
    assert.equal((await open({ credential: null })).certificateChain.length, 2)
    server.mood.status = 'disabled'
    await assert.rejects(open(), { code: 'signing/key-unavailable' })
    server.mood.status = 'enabled'
    const certificate = certify(createPublicKey(ecKey())).certificate
    await assert.rejects(open({ certificate }), { code: 'signing/key-unavailable' })
    await assert.rejects(open({ credential: 'ein anderer' }), { code: 'signing/signature-failed' })
  })

  it('that wants a person for every signature is refused before anything is asked', async () => {
    server.mood.authorisation = 'pin-and-otp'
    await assert.rejects((await open()).sign(messages), { code: 'signing/key-unavailable' })
    assert.equal(callsOf('credentials/authorize'), 0)
    server.mood.authorisation = 'oauth'
    const key = await open({ authorisation: { kind: 'bearer', token: 'given' } })
    if (version === 1) await assert.rejects(key.sign(messages), { code: 'signing/key-unavailable' })
    else assert.equal((await key.sign(messages)).length, 3)
  })

  it('signs only with what the service offers', async () => {
    server.mood.algorithms = ['1.2.840.10045.4.3.4']
    const key = await open()
    assert.equal(key.algorithm, 'ecdsa-sha512')
    await assert.rejects(key.sign(messages, 'ecdsa-sha256'), { code: 'signing/algorithm-refused' })
  })

  it('tells no secret in its faults', async () => {
    const texts: string[] = []
    for (const method of ['oauth2/token', 'credentials/info', 'credentials/authorize', 'signatures/signHash']) {
      server.mood.fail = { method, status: 400, error: 'invalid_request' }
      const error: unknown = await open()
        .then((key) => key.sign(messages))
        .catch((caught: unknown) => caught)
      assert.ok(error instanceof SigningError, method)
      texts.push(`${error.message} ${String(error.stack)} ${JSON.stringify(error)}`)
    }
    for (const secret of [CSC_PIN, CLIENT.clientSecret, 'token-', 'sad-']) {
      assert.ok(!texts.join().includes(secret), secret)
    }
  })
}

describe('recorded answers of a service of version 1', () => {
  const file = join(sharedData, 'csc', 'csc-v1-recorded.json')
  if (!existsSync(file)) {
    console.log('  recorded answers: not run, the shared data is not there')
    return
  }
  interface Exchange {
    path: string
    request: Record<string, unknown>
    status: number
    response: unknown
  }
  const { exchanges } = JSON.parse(readFileSync(file, 'utf8')) as { exchanges: Exchange[] }

  it('are read: provider, credential, chain, algorithms', async () => {
    const http: Http = ({ url }) => {
      const found = exchanges.find(({ path }) => url.endsWith(path))
      const body = Buffer.from(JSON.stringify(found?.response))
      return Promise.resolve({ status: found?.status ?? 404, headers: {}, body })
    }
    const authorisation = { kind: 'none' } as const
    const service = createCscService({ http, url: 'https://x/csc/v1', authorisation, clock: () => NOW, timeoutMs: 1 })
    assert.equal((await readProvider(service)).version, 1)
    const credential = await readCredential(service, 'bp/seal')
    assert.equal(credential.multisign, 10)
    assert.equal(credential.authorisation, 'implicit')
    assert.equal(credential.chain.length, 3)
    assert.match(new X509Certificate(credential.chain[0]).subject, /Dienstsiegel/)
    assert.ok(credential.algorithms.has('1.2.840.113549.1.1.11'))
    await assert.rejects(readCredential(service, null), { code: 'signing/key-unavailable' })
  })
})
