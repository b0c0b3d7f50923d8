import assert from 'node:assert/strict'

import { pooledRandom } from '../random.ts'

describe('random bytes from a pool', () => {
  it('come in the length asked for, also beyond the pool', () => {
    const random = pooledRandom()
    for (const size of [0, 1, 12, 32, 1024, 1025, 8192, 100_000]) assert.equal(random(size).length, size)
  })

  it('never come twice, across many pools', () => {
    const random = pooledRandom()
    const seen = new Set(Array.from({ length: 20_000 }, () => random(16).toString('hex')))
    assert.equal(seen.size, 20_000)
  })

  it("are the caller's own: writing to them changes nothing that comes later", () => {
    const random = pooledRandom()
    random(32).fill(0)
    assert.notDeepEqual(random(32), Buffer.alloc(32))
  })
})
