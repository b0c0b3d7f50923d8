import assert from 'node:assert/strict'

import { createPartMemory, type PartMemory, type PartRole } from '../segments/part-memory.ts'

describe('memory for parts', () => {
  it('hands out again what was given back, the latest first', () => {
    const memory = createPartMemory({ budgetBytes: 100, mostBytes: 100 })
    const [first, second] = [take(memory, 40), take(memory, 40)]
    memory.give(first)
    memory.give(second)
    assert.equal(take(memory, 40), second)
    assert.equal(take(memory, 40), first)
  })

  it('keeps all of its budget, so that parts in turn never need new memory', () => {
    const memory = createPartMemory({ budgetBytes: 100, mostBytes: 100 })
    const taken = [take(memory, 25), take(memory, 25), take(memory, 25), take(memory, 25)]
    for (const each of taken) memory.give(each)
    const again = taken.map(() => take(memory, 25))
    assert.deepEqual(new Set(again), new Set(taken))
  })

  it('gives nothing beyond its budget', () => {
    const memory = createPartMemory({ budgetBytes: 100, mostBytes: 100 })
    take(memory, 60)
    assert.equal(memory.tryTake(41, 'further'), null)
    assert.equal(take(memory, 40).byteLength, 40)
    assert.equal(memory.inUse, 100)
  })

  it('lets go of what it kept, the oldest first, when another size needs the room', () => {
    const memory = createPartMemory({ budgetBytes: 100, mostBytes: 100 })
    const [oldest, latest] = [take(memory, 30), take(memory, 30)]
    memory.give(oldest)
    memory.give(latest)
    memory.give(take(memory, 60))
    assert.equal(take(memory, 30), latest)
    assert.notEqual(take(memory, 30), oldest)
  })

  it('serves a part larger than its budget alone, and keeps nothing of it', () => {
    const memory = createPartMemory({ budgetBytes: 100, mostBytes: 100 })
    const large = take(memory, 130)
    assert.equal(memory.tryTake(10, 'only'), null)
    memory.give(large)
    assert.equal(memory.inUse, 0)
    assert.notEqual(take(memory, 130), large)
  })

  it('lets those who wait go on in the order in which they came', async () => {
    const memory = createPartMemory({ budgetBytes: 100, mostBytes: 100 })
    const only = take(memory, 100)
    const order: string[] = []
    const waits = ['first', 'second'].map(async (name) => {
      await memory.wait(50, 'further').granted
      take(memory, 50)
      order.push(name)
    })
    assert.equal(memory.tryTake(50, 'further'), null)
    memory.give(only)
    await Promise.all(waits)
    assert.deepEqual(order, ['first', 'second'])
  })

  it('gives a sender its only part beyond the budget, and nobody a further one', () => {
    const memory = createPartMemory({ budgetBytes: 80, mostBytes: 100 })
    for (let sender = 0; sender < 8; sender++) take(memory, 10, 'only')
    assert.equal(memory.tryTake(10, 'further'), null)
    take(memory, 10, 'only')
    take(memory, 10, 'only')
    assert.equal(memory.tryTake(10, 'only'), null)
    assert.equal(memory.senders(10), 10)
  })

  it('gives large parts within the budget alone, so that it stays what it is for the largest files', () => {
    const memory = createPartMemory({ budgetBytes: 80, mostBytes: 1000 })
    take(memory, 80, 'only')
    assert.equal(memory.tryTake(20, 'only'), null)
    assert.equal(memory.senders(20), 4)
    assert.equal(memory.senders(200), 1)
  })

  it('lets those who wait for their only part go before those who wait for more', async () => {
    const memory = createPartMemory({ budgetBytes: 80, mostBytes: 90 })
    const out = Array.from({ length: 9 }, () => take(memory, 10, 'only'))
    const order: string[] = []
    const further = memory.wait(10, 'further').granted.then(() => order.push('further'))
    const only = memory.wait(10, 'only').granted.then(() => order.push('only'))
    memory.give(out.pop() ?? new SharedArrayBuffer(0))
    await only
    assert.deepEqual(order, ['only'])
    for (const each of out) memory.give(each)
    await further
  })

  it('passes on the place of whoever waits no longer', async () => {
    const memory = createPartMemory({ budgetBytes: 100, mostBytes: 100 })
    const only = take(memory, 100)
    const [gone, next] = [memory.wait(90, 'further'), memory.wait(50, 'further')]
    gone.leave()
    memory.give(only)
    await next.granted
    take(memory, 50)
    gone.leave()
  })
})

function take(memory: PartMemory, bytes: number, role: PartRole = 'further'): SharedArrayBuffer {
  const taken = memory.tryTake(bytes, role)
  assert.ok(taken)
  return taken
}
