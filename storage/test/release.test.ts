import assert from 'node:assert/strict'

import { release } from '../cipher/release.ts'

describe('released memory', () => {
  it('is gone at once', () => {
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 1000; i++) release(Buffer.allocUnsafeSlow(65_536))
    assert.ok(process.memoryUsage().arrayBuffers - before < 32 * 65_536)
    const bytes = Buffer.allocUnsafeSlow(100)
    release(bytes)
    assert.equal(bytes.length, 0)
  })

  it('is not taken from a pool, from others who share it, nor from nothing', () => {
    const pooled = Buffer.from('a few bytes')
    release(pooled)
    assert.equal(pooled.toString(), 'a few bytes')
    const shared = Buffer.from(new SharedArrayBuffer(8))
    release(shared)
    assert.equal(shared.length, 8)
    const part = Buffer.allocUnsafeSlow(10).subarray(0, 5)
    release(part)
    assert.equal(part.length, 5)
    release(Buffer.alloc(0))
  })
})
