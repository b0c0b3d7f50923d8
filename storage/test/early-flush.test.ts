import assert from 'node:assert/strict'

import { createEarlyFlush } from '../objects/early-flush.ts'

const MIB = 1024 * 1024
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('flushing while more arrives', () => {
  it('begins after 16 MiB, one flush at a time, and is waited for at the end', async () => {
    const ends: (() => void)[] = []
    const early = createEarlyFlush(() => new Promise((done) => ends.push(done)))
    early.wrote(15 * MIB)
    assert.equal(ends.length, 0)
    early.wrote(MIB)
    early.wrote(40 * MIB)
    assert.equal(ends.length, 1)
    let ended = false
    const end = early.end().then(() => (ended = true))
    await turn()
    assert.equal(ended, false)
    ends[0]?.()
    await end
    early.wrote(1)
    assert.equal(ends.length, 2, 'what came meanwhile is flushed next')
    ends[1]?.()
    await early.end()
  })

  it('keeps the fault of a flush, for nobody else may hear of it again', async () => {
    const early = createEarlyFlush(() => Promise.reject(new Error('EIO')))
    early.wrote(16 * MIB)
    await turn()
    assert.throws(() => {
      early.wrote(1)
    }, /EIO/)
    await assert.rejects(early.end(), /EIO/)
  })
})
