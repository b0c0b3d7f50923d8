import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { SigningError } from '../errors.ts'
import { loadCryptoki } from '../keys/pkcs11/cryptoki.ts'
import type { Cryptoki } from '../keys/pkcs11/cryptoki.ts'
import { CryptokiError } from '../keys/pkcs11/module.ts'
import { CKF, CKR } from '../keys/pkcs11/numbers.ts'
import { SessionPool } from '../keys/pkcs11/session-pool.ts'
import type { TokenQuestion } from '../keys/pkcs11/session-thread.ts'
import { SessionLost } from '../keys/pkcs11/session-lost.ts'
import { findSlot, openTokenSession } from '../keys/pkcs11/session.ts'
import type { TokenPlace } from '../keys/pkcs11/session.ts'
import { createTokenKey, storeTokenCertificate, tokenPublicKey } from '../keys/pkcs11/token-keys.ts'
import { openPkcs11Key } from '../keys/pkcs11.ts'
import type { Pkcs11Options } from '../keys/pkcs11.ts'
import type { OpenedKey } from '../keys/signing-key.ts'
import { programsFor } from './programs.ts'
import { RSA_ALGORITHMS, signingKeySuite } from './suites/signing-key.suite.ts'
import { PIN, SOFTHSM_MODULE, certify, tokenPlace } from './support/softhsm.ts'

/** Makes the key unless it is there; its certificate lies in the token. */
function place(algorithm: 'rsa-3072' | 'p-256' | 'p-384' | 'brainpoolP256r1'): TokenPlace {
  const at = tokenPlace({ keyId: Buffer.from(algorithm).toString('hex'), keyLabel: algorithm })
  const key = { ...at, keyId: at.keyId ?? '', keyLabel: algorithm }
  if (!made.has(algorithm)) storeTokenCertificate(key, certify(createTokenKey(key, algorithm)).certificate)
  made.add(algorithm)
  return at
}
const made = new Set<string>()

describe('the sessions of a token key', () => {
  const place: TokenPlace = { module: '', token: null, pin: '1', keyId: null, keyLabel: null }
  const message = Buffer.from('message')

  /** A pool over one session that answers as it is told; `asked` counts what it was asked. */
  function poolOver(answer: (question: TokenQuestion, count: number) => Buffer[]) {
    const asked = { open: 0, sign: 0 }
    const ask = async (question: TokenQuestion): Promise<Buffer[]> =>
      answer(question, await Promise.resolve(++asked[question.kind]))
    const thread = { ask, isGone: () => false, close: () => Promise.resolve() }
    return {
      asked,
      pool: new SessionPool(thread, {
        opening: { kind: 'open', place, certificate: null, algorithm: null },
        sessions: 1,
        timeoutMs: 1000,
      }),
    }
  }

  it('are opened again once when they are lost, and the message is signed', async () => {
    const { asked, pool } = poolOver(({ kind }, count) => {
      if (kind === 'sign' && count === 1) throw new SessionLost('gone')
      return [Buffer.from('value')]
    })
    assert.deepEqual(await pool.sign('ecdsa-sha256', [message]), [Buffer.from('value')])
    assert.deepEqual(asked, { open: 1, sign: 2 })
  })

  it('are asked for the rest when the token is slow; the values stay in order', async () => {
    const asked: number[] = []
    const { pool } = poolOver((question) => {
      assert.ok(question.kind === 'sign')
      asked.push(question.messages.length)
      return question.messages.slice(0, 30)
    })
    const messages = Array.from({ length: 100 }, (_, index) => Buffer.from(`${index}`))
    const [values, [alone]] = await Promise.all([
      pool.sign('ecdsa-sha256', messages),
      pool.sign('ecdsa-sha256', [Buffer.from('alone')]),
    ])
    assert.deepEqual(values, messages)
    assert.deepEqual(alone, Buffer.from('alone'))
    assert.deepEqual(asked, [64, 34, 4, 36, 6, 1])
  })

  it('that answer nothing are a fault, and the rest of the batch is not tried', async () => {
    const { asked, pool } = poolOver(() => [])
    const messages = Array.from({ length: 100 }, () => message)
    await assert.rejects(pool.sign('ecdsa-sha256', messages), { code: 'signing/signature-failed' })
    assert.equal(asked.sign, 1)
  })

  it('that are lost again at once are a fault; the next message tries anew', async () => {
    let away = true
    const { asked, pool } = poolOver(({ kind }) => {
      if (kind === 'sign' && away) throw new SessionLost('gone')
      return [Buffer.from('value')]
    })
    await assert.rejects(pool.sign('ecdsa-sha256', [message]), { code: 'signing/key-unavailable' })
    assert.deepEqual(asked, { open: 1, sign: 2 })
    away = false
    assert.deepEqual(await pool.sign('ecdsa-sha256', [message]), [Buffer.from('value')])
  })

  it('try a PIN that became wrong once, and never again', async () => {
    const { asked, pool } = poolOver(({ kind }) => {
      if (kind === 'open') throw new SigningError('signing/pin-refused', 'the token refused the PIN')
      throw new SessionLost('gone')
    })
    const refused = { code: 'signing/pin-refused' }
    await Promise.all([1, 2, 3].map(() => assert.rejects(pool.sign('ecdsa-sha256', [message]), refused)))
    for (let round = 0; round < 5; round++) await assert.rejects(pool.sign('ecdsa-sha256', [message]), refused)
    assert.equal(asked.open, 1)
  })

  it('do not use up the last try for the PIN', () => {
    let logins = 0
    const token = (flags: number): Cryptoki =>
      ({
        slots: () => [1n],
        tokenInfo: () => ({ label: 'Token', serial: '1', flags: CKF.loginRequired | flags }),
        openSession: () => 1n,
        closeSession: () => undefined,
        login: () => {
          logins++
          throw new CryptokiError('C_Login', CKR.pinIncorrect)
        },
      }) as Partial<Cryptoki> as Cryptoki
    for (const flags of [CKF.userPinFinalTry, CKF.userPinLocked]) {
      assert.throws(() => openTokenSession(token(flags), place), { code: 'signing/pin-refused' })
    }
    assert.equal(logins, 0)
    assert.throws(() => openTokenSession(token(0), place), { code: 'signing/pin-refused' })
    assert.equal(logins, 1)
  })
})

if (programsFor('keys in tokens', 'softhsm2-util', SOFTHSM_MODULE)) {
  signingKeySuite('an RSA key in a token', RSA_ALGORITHMS, () => openPkcs11Key(place('rsa-3072')))
  signingKeySuite('a P-256 key in a token', ['ecdsa-sha256', 'ecdsa-sha384', 'ecdsa-sha512'], () =>
    openPkcs11Key(place('p-256')),
  )
  signingKeySuite('a P-384 key in a token', ['ecdsa-sha384', 'ecdsa-sha512'], () => openPkcs11Key(place('p-384')))
  signingKeySuite('a brainpool key in a token', ['ecdsa-sha256', 'ecdsa-sha384', 'ecdsa-sha512'], () =>
    openPkcs11Key(place('brainpoolP256r1')),
  )

  describe('a key in a token', function () {
    this.timeout(60_000)
    const opened: OpenedKey[] = []
    const open = async (options: Pkcs11Options): Promise<OpenedKey> => {
      const key = await openPkcs11Key(options)
      opened.push(key)
      return key
    }
    after(async () => {
      await Promise.all(opened.map((key) => key.close()))
    })

    it('is found by ID, by label or by being the only one; else the fault says what is missing', async () => {
      const { keyId, keyLabel, ...rest } = place('p-256')
      place('rsa-3072')
      assert.equal((await open({ ...rest, keyId, keyLabel: null })).signing.algorithm, 'ecdsa-sha256')
      assert.equal((await open({ ...rest, keyId: null, keyLabel })).signing.algorithm, 'ecdsa-sha256')
      const unavailable = { code: 'signing/key-unavailable' }
      await assert.rejects(open({ ...rest, keyId: null, keyLabel: null }), unavailable)
      await assert.rejects(open({ ...rest, keyId: 'ffff', keyLabel: null }), unavailable)
      await assert.rejects(open({ ...rest, keyId, keyLabel: null, token: 'ein anderes' }), unavailable)
      await assert.rejects(open({ ...rest, keyId, keyLabel: null, module: '/nirgends.so' }), unavailable)
    })

    it('takes its certificate from a file, and is not opened when that belongs to another key', async () => {
      const at = tokenPlace({ keyId: 'aa01', keyLabel: 'ohne Zertifikat' })
      const key = { ...at, keyId: 'aa01', keyLabel: 'ohne Zertifikat' }
      const publicKey = createTokenKey(key, 'p-256')
      assert.ok(tokenPublicKey(key).equals(publicKey))
      await assert.rejects(open(at), { code: 'signing/key-unavailable' })
      const { certificate, issuer } = certify(publicKey)
      const { signing } = await open({ ...at, certificates: [certificate, issuer] })
      assert.deepEqual(signing.certificateChain, [certificate, issuer])
      assert.equal((await signing.sign([Buffer.from('x')])).length, 1)
      const other = certify(tokenPublicKey({ ...key, keyId: place('p-256').keyId ?? '' })).certificate
      await assert.rejects(open({ ...at, certificates: [other] }), { code: 'signing/signature-failed' })
    })

    it('is not made twice under one ID', () => {
      const key = { ...tokenPlace(), keyId: 'aa02', keyLabel: 'doppelt' }
      createTokenKey(key, 'p-256')
      assert.throws(() => createTokenKey(key, 'p-256'), { code: 'signing/key-unavailable' })
    })

    it('goes on when its sessions are taken away', async () => {
      const { signing } = await open({ ...place('rsa-3072'), sessions: 3 })
      const messages = Array.from({ length: 12 }, (_, index) => Buffer.from(`${index}`))
      await signing.sign(messages)
      closeAllSessions()
      assert.equal((await signing.sign(messages)).length, messages.length)
      closeAllSessions()
      assert.equal((await signing.sign([Buffer.from('x')])).length, 1)
    })

    it('does not keep the event loop waiting while it signs', async () => {
      const { signing } = await open({ ...place('rsa-3072'), sessions: 2 })
      const delay = monitorEventLoopDelay({ resolution: 1 })
      delay.enable()
      let turns = 0
      const timer = setInterval(() => turns++, 1)
      await signing.sign(Array.from({ length: 100 }, (_, index) => Buffer.from(`${index}`)))
      clearInterval(timer)
      delay.disable()
      console.log(`      event loop: ${turns} turns, delay p50 ${(delay.percentile(50) / 1e6).toFixed(1)} ms`)
      assert.ok(turns > 5)
    })

    it('tells whoever waits when it is closed, and leaves no thread behind', async () => {
      const workers: Worker[] = []
      const note = (message: unknown): void => void workers.push((message as { worker: Worker }).worker)
      subscribe('worker_threads', note)
      for (let wait = 0; wait < 60; wait += 5) {
        const { signing, close } = await openPkcs11Key({ ...place('p-256'), sessions: 3 })
        const batches = Array.from({ length: 6 }, () => signing.sign([Buffer.from('x'), Buffer.from('y')]))
        const told = Promise.allSettled(batches)
        await setTimeout(wait)
        await Promise.all([told, close()])
        await assert.rejects(signing.sign([Buffer.from('x')]), { code: 'signing/key-unavailable' })
      }
      unsubscribe('worker_threads', note)
      await setTimeout(50)
      assert.ok(workers.length >= 12)
      assert.deepEqual(
        workers.filter(({ threadId }) => threadId !== -1),
        [],
      )
    })

    it('has its module in memory whatever the garbage collector takes', () => {
      const code = `
        import { loadCryptoki } from ${JSON.stringify(new URL('../keys/pkcs11/cryptoki.ts', import.meta.url))}
        const cryptoki = loadCryptoki(${JSON.stringify(place('p-256').module)})
        for (let turn = 0; turn < 5; turn++) {
          gc()
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
        console.log(cryptoki.slots().length)`
      const words = ['--expose-gc', '--import=tsx', '--input-type=module', '--eval', code]
      const { status, signal, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
      assert.deepEqual({ status, signal, slots: Number(stdout) > 0 }, { status: 0, signal: null, slots: true }, stderr)
    })

    it('with a wrong PIN is not opened', async () => {
      place('p-256')
      closeAllSessions() // whoever is logged in is so for the whole process
      await assert.rejects(open({ ...place('p-256'), pin: '000000' }), { code: 'signing/pin-refused' })
    })

    it('that wants its PIN for every signature gets it', async () => {
      const at = tokenPlace({ keyId: 'aa03' })
      pkcs11Tool('--keypairgen', '--key-type', 'EC:prime256v1', '--id', 'aa03', '--always-auth', '--label', 'immer')
      const { certificate } = certify(tokenPublicKey({ ...at, keyId: 'aa03', keyLabel: '' }))
      const { signing } = await open({ ...at, certificates: [certificate] })
      assert.equal((await signing.sign([Buffer.from('x'), Buffer.from('y')])).length, 2)
    })
  })
}

/** Every session of this process ends, as when a token is drawn and put back. */
function closeAllSessions(): void {
  const at = tokenPlace()
  const cryptoki = loadCryptoki(at.module)
  cryptoki.closeAllSessions(findSlot(cryptoki, at.token))
}

function pkcs11Tool(...args: string[]): void {
  const at = tokenPlace()
  const login = ['--module', at.module, '--token-label', at.token ?? '', '--login', '--pin', PIN]
  const { status, stderr } = spawnSync('pkcs11-tool', [...login, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}
