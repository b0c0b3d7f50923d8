import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'

import { Crc32c } from '../cipher/crc32c.ts'

const crc = (...pieces: Uint8Array[]) => {
  const running = new Crc32c()
  for (const piece of pieces) running.update(piece)
  return running.digest().toString('hex')
}

describe('CRC-32C', () => {
  it('gives the values of RFC 3720 appendix B.4', () => {
    assert.equal(crc(Buffer.alloc(32)), '8a9136aa')
    assert.equal(crc(Buffer.alloc(32, 0xff)), '62a8ab43')
    assert.equal(crc(Uint8Array.from({ length: 32 }, (_, i) => i)), '46dd794e')
    assert.equal(crc(Uint8Array.from({ length: 32 }, (_, i) => 31 - i)), '113fdb5c')
  })

  it('does not care how the bytes are cut', () => {
    const bytes = randomBytes(1000)
    const whole = crc(bytes)
    for (const at of [0, 1, 7, 8, 9, 500, 999]) assert.equal(crc(bytes.subarray(0, at), bytes.subarray(at)), whole)
  })

  it('reads shared memory', () => {
    const shared = Buffer.from(new SharedArrayBuffer(9))
    shared.write('123456789')
    assert.equal(crc(shared), 'e3069283')
  })
})
