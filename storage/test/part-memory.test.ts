import assert from 'node:assert/strict'

import { createPartMemory } from '../segments/part-memory.ts'

describe('memory for parts', () => {
  it('hands out again what was given back, the latest first', () => {
    const memory = createPartMemory({ budgetBytes: 100 })
    const [first, second] = [take(memory, 40), take(memory, 40)]
    memory.give(first)
    memory.give(second)
    assert.equal(take(memory, 40), second)
    assert.equal(take(memory, 40), first)
  })

  it('keeps all of its budget, so that parts in turn never need new memory', () => {
    const memory = createPartMemory({ budgetBytes: 100 })
    const taken = [take(memory, 25), take(memory, 25), take(memory, 25), take(memory, 25)]
    for (const each of taken) memory.give(each)
    const again = taken.map(() => take(memory, 25))
    assert.deepEqual(new Set(again), new Set(taken))
  })

  it('gives nothing beyond its budget', () => {
    const memory = createPartMemory({ budgetBytes: 100 })
    take(memory, 60)
    assert.equal(memory.tryTake(41), null)
    assert.equal(take(memory, 40).byteLength, 40)
    assert.equal(memory.inUse, 100)
  })

  it('lets go of what it kept, the oldest first, when another size needs the room', () => {
    const memory = createPartMemory({ budgetBytes: 100 })
    const [oldest, latest] = [take(memory, 30), take(memory, 30)]
    memory.give(oldest)
    memory.give(latest)
    memory.give(take(memory, 60))
    assert.equal(take(memory, 30), latest)
    assert.notEqual(take(memory, 30), oldest)
  })

  it('serves a part larger than its budget alone, and keeps nothing of it', () => {
    const memory = createPartMemory({ budgetBytes: 100 })
    const large = take(memory, 130)
    assert.equal(memory.tryTake(10), null)
    memory.give(large)
    assert.equal(memory.inUse, 0)
    assert.notEqual(take(memory, 130), large)
  })

  it('lets those who wait go on in the order in which they came', async () => {
    const memory = createPartMemory({ budgetBytes: 100 })
    const only = take(memory, 100)
    const order: string[] = []
    const waits = ['first', 'second'].map(async (name) => {
      await memory.wait(50)
      take(memory, 50)
      order.push(name)
    })
    assert.equal(memory.tryTake(50), null)
    memory.give(only)
    await Promise.all(waits)
    assert.deepEqual(order, ['first', 'second'])
  })
})

function take(memory: ReturnType<typeof createPartMemory>, bytes: number): SharedArrayBuffer {
  const taken = memory.tryTake(bytes)
  assert.ok(taken)
  return taken
}
