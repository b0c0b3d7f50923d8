import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'

import { createPartMemory, type PartLoan, type PartMemory } from '../segments/part-memory.ts'

const SLOW_AFTER_MS = 30

describe('memory for parts', () => {
  it('hands out again what was given back, the latest first', () => {
    const memory = ofHundred()
    const [first, second] = [take(memory, 40), take(memory, 40)]
    first.give()
    second.give()
    assert.equal(take(memory, 40).memory, second.memory)
    assert.equal(take(memory, 40).memory, first.memory)
  })

  it('keeps all of its budget, so that parts in turn never need new memory', () => {
    const memory = ofHundred()
    const taken = [take(memory, 25), take(memory, 25), take(memory, 25), take(memory, 25)]
    for (const each of taken) each.give()
    const again = taken.map(() => take(memory, 25).memory)
    assert.deepEqual(new Set(again), new Set(taken.map((each) => each.memory)))
  })

  it('gives nothing beyond its budget', () => {
    const memory = ofHundred()
    take(memory, 60)
    assert.equal(memory.tryTake(41), null)
    assert.equal(take(memory, 40).memory.byteLength, 40)
    assert.equal(memory.inUse, 100)
  })

  it('lets go of what it kept, the oldest first, when another size needs the room', () => {
    const memory = ofHundred()
    const [oldest, latest] = [take(memory, 30), take(memory, 30)]
    oldest.give()
    latest.give()
    take(memory, 60).give()
    assert.equal(take(memory, 30).memory, latest.memory)
    assert.notEqual(take(memory, 30).memory, oldest.memory)
  })

  it('serves a part larger than its budget alone, and keeps nothing of it', () => {
    const memory = ofHundred()
    const large = take(memory, 130)
    assert.equal(memory.tryTake(10), null)
    large.give()
    assert.equal(memory.inUse, 0)
    assert.notEqual(take(memory, 130).memory, large.memory)
  })

  it('lets those who wait go on in the order in which they came', async () => {
    const memory = ofHundred()
    const only = take(memory, 100)
    const order: string[] = []
    const waits = ['first', 'second'].map(async (name) => {
      await memory.wait(50)
      take(memory, 50)
      order.push(name)
    })
    assert.equal(memory.tryTake(50), null)
    only.give()
    await Promise.all(waits)
    assert.deepEqual(order, ['first', 'second'])
  })

  it('goes on without the parts of slow senders, as many as their share holds', async () => {
    const memory = createPartMemory({ budgetBytes: 80, slowBytes: 40, slowAfterMs: SLOW_AFTER_MS })
    assert.equal(memory.senders(20), 6)
    const dribbling = Array.from({ length: 4 }, () => take(memory, 20))
    assert.equal(memory.tryTake(20), null)
    await pause(SLOW_AFTER_MS * 2)
    take(memory, 20).filled()
    take(memory, 20).filled()
    assert.equal(memory.tryTake(20), null)
    dribbling[0]?.give()
    await memory.wait(20)
    take(memory, 20)
  })

  it('counts whoever sends enough, and whatever waits for the store alone, in the budget', async () => {
    const memory = createPartMemory({ budgetBytes: 100, slowBytes: 100, slowAfterMs: SLOW_AFTER_MS })
    const [moving, filled] = [take(memory, 50), take(memory, 50)]
    filled.filled()
    for (let times = 0; times < 10; times += 1) {
      await pause(SLOW_AFTER_MS / 5)
      moving.moved()
    }
    assert.equal(memory.inUse, 100)
    moving.filled()
    await pause(SLOW_AFTER_MS * 2)
    assert.equal(memory.inUse, 100)
  })

  it('keeps what slow senders gave back, so that their next parts never need new memory', async () => {
    const memory = createPartMemory({ budgetBytes: 100, slowBytes: 100, slowAfterMs: SLOW_AFTER_MS })
    const taken = [take(memory, 50), take(memory, 50)]
    await pause(SLOW_AFTER_MS * 2)
    assert.equal(memory.inUse, 0)
    taken.push(take(memory, 50), take(memory, 50))
    for (const each of taken) each.give()
    const again = [take(memory, 50), take(memory, 50)]
    await pause(SLOW_AFTER_MS * 2)
    again.push(take(memory, 50), take(memory, 50))
    assert.deepEqual(new Set(again.map((each) => each.memory)), new Set(taken.map((each) => each.memory)))
  })
})

function ofHundred(): PartMemory {
  return createPartMemory({ budgetBytes: 100, slowBytes: 0, slowAfterMs: 60_000 })
}

function take(memory: PartMemory, bytes: number): PartLoan {
  const taken = memory.tryTake(bytes)
  assert.ok(taken)
  return taken
}
