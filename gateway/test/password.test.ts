import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createPasswords } from '../auth/password.ts'
import { createDecoyAttempts } from '../auth/decoy-attempts.ts'

describe('passwords', function () {
  this.timeout(30_000)
  it('are hashed with Argon2id at 19 MiB and a salt of their own', async () => {
    const passwords = createPasswords(randomBytes)
    const [one, two] = [
      await passwords.hash('Vier Pferde laufen leise'),
      await passwords.hash('Vier Pferde laufen leise'),
    ]
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    assert.notEqual(one, two)
    assert.equal(await passwords.matches(one, 'Vier Pferde laufen leise'), true)
    assert.equal(await passwords.matches(one, 'Vier Pferde laufen laut'), false)
  })

  it('fit in whichever normal form the keyboard sends', async () => {
    const passwords = createPasswords(randomBytes)
    const encoded = await passwords.hash('Grüße aus Fürth'.normalize('NFD'))
    assert.equal(await passwords.matches(encoded, 'Grüße aus Fürth'.normalize('NFC')), true)
  })

  it('never fit where there is no account', async () => {
    const passwords = createPasswords(randomBytes)
    assert.equal(await passwords.matches(null, ''), false)
    assert.equal(await passwords.matches(null, 'anything'), false)
  })

  it('are refused rather than queued without end', async () => {
    const passwords = createPasswords(randomBytes, { running: 1, waiting: 2 })
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => passwords.hash('x')))
    const refused = results.filter((result) => result.status === 'rejected')
    assert.equal(refused.length, 2)
    for (const { reason } of refused) assert.equal((reason as { code: string }).code, 'gateway/busy')
    // Whoever waited has gone: there is room again.
    assert.match(await passwords.hash('x'), /^\$argon2id/)
  })
})

describe('tries on addresses that nobody has', function () {
  this.timeout(30_000)
  const at = (seconds: number) => new Date(1_800_000_000_000 + seconds * 1000)

  it('are counted as tries on accounts are', () => {
    const count = createDecoyAttempts()
    for (let n = 0; n < 5; n += 1) assert.equal(count('x@example.org', at(n)).allowed, true)
    assert.deepEqual(count('X@Example.org ', at(5)), { allowed: false, retryAt: at(4 + 30) })
    assert.equal(count('y@example.org', at(5)).allowed, true)
    assert.equal(count('x@example.org', at(34)).allowed, true)
    assert.deepEqual(count('x@example.org', at(35)), { allowed: false, retryAt: at(34 + 60) })
  })

  it('are locked after fifty in a day, and open again the next', () => {
    const count = createDecoyAttempts()
    let now = 0
    for (let n = 0; n < 50; n += 1) {
      now += 900
      assert.equal(count('x@example.org', at(now)).allowed, true, String(n))
    }
    assert.deepEqual(count('x@example.org', at(now + 900)), { allowed: false, retryAt: null })
    assert.equal(count('x@example.org', at(now + 86_400)).allowed, true)
  })

  it('are forgotten, the oldest first, before they fill the memory', () => {
    const count = createDecoyAttempts()
    for (let n = 0; n < 5; n += 1) count('first@example.org', at(0))
    assert.equal(count('first@example.org', at(1)).allowed, false)
    for (let n = 0; n < 10_000; n += 1) count(`${n}@example.org`, at(1))
    assert.equal(count('first@example.org', at(1)).allowed, true)
  })
})
