import assert from 'node:assert/strict'
import { generate } from 'otplib'
import { base32, checkCode, enrolmentUri, qrPicture } from '../auth/totp.ts'

const SECRET = base32(Buffer.from('12345678901234567890'))
const at = (seconds: number) => new Date(seconds * 1000)
const codeAt = (seconds: number) => generate({ secret: SECRET, epoch: seconds, digits: 6, period: 30 })

describe('checkCode', () => {
  it('accepts the vectors of RFC 6238 appendix B, cut to six digits', async () => {
    const vectors: [number, string][] = [
      [59, '287082'],
      [1111111109, '081804'],
      [1111111111, '050471'],
      [1234567890, '005924'],
      [2000000000, '279037'],
    ]
    for (const [time, code] of vectors) {
      assert.deepEqual(await checkCode(SECRET, code, at(time)), { kind: 'right', step: Math.floor(time / 30) })
    }
  })

  it('accepts the code of the step before only in the first five seconds of the new one', async () => {
    const old = await codeAt(1_700_000_010 - 1)
    const steps = Math.floor(1_700_000_009 / 30)
    assert.deepEqual(await checkCode(SECRET, old, at(steps * 30 + 30)), { kind: 'right', step: steps })
    assert.deepEqual(await checkCode(SECRET, old, at(steps * 30 + 34)), { kind: 'right', step: steps })
    assert.equal((await checkCode(SECRET, old, at(steps * 30 + 36))).kind, 'clock')
  })

  it('never accepts a code of the future, but says that a clock is wrong', async () => {
    const now = 1_700_000_010
    for (const ahead of [30, 120, 290])
      assert.equal((await checkCode(SECRET, await codeAt(now + ahead), at(now))).kind, 'clock')
    assert.equal((await checkCode(SECRET, await codeAt(now + 900), at(now))).kind, 'wrong')
  })

  it('finds anything but six digits wrong', async () => {
    for (const code of ['', '12345', '1234567', 'abcdef', '１２３４５６', '-12345', '1e5000', '\u0000'.repeat(6)]) {
      assert.deepEqual(await checkCode(SECRET, code, at(59)), { kind: 'wrong' })
    }
  })

  it('reads a code that was typed in two groups', async () => {
    assert.equal((await checkCode(SECRET, ' 287 082 ', at(59))).kind, 'right')
  })
})

describe('enrolment', () => {
  it('writes base32 as RFC 4648 §10 does', () => {
    assert.equal(base32(Buffer.from('foobar')), 'MZXW6YTBOI')
    assert.equal(base32(Buffer.alloc(20)).length, 32)
  })

  it('puts the key and its parameters into the address', () => {
    const uri = new URL(enrolmentUri(SECRET, 'anna@example.org', 'Amtsbote'))
    assert.equal(uri.protocol, 'otpauth:')
    assert.equal(uri.searchParams.get('secret'), SECRET)
    assert.equal(uri.searchParams.get('issuer'), 'Amtsbote')
  })

  it('draws a picture without script, style or links', async () => {
    const picture = await qrPicture('otpauth://totp/x?secret=ABC')
    assert.match(picture, /^<svg/)
    assert.doesNotMatch(picture, /<script|style=|href|<style/)
  })
})
