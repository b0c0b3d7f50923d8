/** The pure life of an outgoing delivery: what comes next, and what every outcome makes of every state. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { applyControl, applyDeadline, applyOutcome, nextStep, settle } from '../relay/delivery.ts'
import type { Delivery, DeliveryState, Outcome } from '../relay/delivery.ts'
import { nextLook, nextTry, watchedEnough } from '../relay/schedule.ts'

const NOW = new Date('2026-01-31T23:59:59Z')
const DEADLINE = new Date('2026-02-01T00:00:00Z')

function delivery(change: Partial<Delivery> = {}): Delivery {
  return {
    state: 'queued',
    osciMessageId: null,
    uncertain: 0,
    failures: 0,
    deadline: DEADLINE,
    acceptedAt: null,
    receivedAt: null,
    control: null,
    lastError: null,
    ...change,
  }
}
const storing = (change: Partial<Delivery> = {}): Delivery =>
  delivery({ state: 'storing', osciMessageId: 'm', uncertain: 1, ...change })

describe('the next step of a delivery', () => {
  const cases: [DeliveryState, string][] = [
    ['queued', 'reserve'],
    ['reserved', 'store'],
    ['storing', 'ask'],
    ['accepted', 'watch'],
    ['received', 'rest'],
    ['checked', 'rest'],
    ['rejected', 'rest'],
    ['failed', 'rest'],
    ['held', 'rest'],
  ]
  for (const [state, step] of cases) {
    it(`of a ${state} one is to ${step}`, () => {
      assert.equal(nextStep(delivery({ state, osciMessageId: 'm' })).kind, step)
    })
  }
  it('is to rest when a MessageId is missing where there must be one', () => {
    assert.equal(nextStep(delivery({ state: 'reserved' })).kind, 'rest')
  })
})

describe('an outcome', () => {
  it('reserved forgets earlier failures', () => {
    const next = applyOutcome(delivery({ failures: 3, lastError: '9811' }), { kind: 'reserved', messageId: 'm' })
    assert.deepEqual([next.state, next.osciMessageId, next.failures, next.lastError], ['reserved', 'm', 0, null])
  })
  it('sending counts one more request of unknown end', () => {
    const next = applyOutcome(delivery({ state: 'reserved', osciMessageId: 'm' }), { kind: 'sending' })
    assert.deepEqual([next.state, next.uncertain], ['storing', 1])
  })
  it('with a card accepts, and with Reception receives', () => {
    const creation = new Date('2026-01-31T12:00:00Z')
    const accepted = applyOutcome(storing({ failures: 2 }), { kind: 'card', creation, reception: null })
    assert.deepEqual([accepted.state, accepted.uncertain, accepted.failures], ['accepted', 0, 0])
    assert.equal(accepted.acceptedAt, creation)
    const received = applyOutcome(accepted, { kind: 'card', creation: null, reception: NOW })
    assert.deepEqual([received.state, received.acceptedAt, received.receivedAt], ['received', creation, NOW])
  })
  it('without card sends again under the same MessageId', () => {
    const next = applyOutcome(storing(), { kind: 'no-card' })
    assert.deepEqual([next.state, next.osciMessageId, next.uncertain], ['reserved', 'm', 1])
  })
  it('without card after a used-up MessageId is held for a person', () => {
    assert.equal(applyOutcome(storing({ lastError: '9801' }), { kind: 'no-card' }).state, 'held')
  })
  it('without card while watching changes nothing but the pause', () => {
    const next = applyOutcome(delivery({ state: 'accepted', osciMessageId: 'm' }), { kind: 'no-card' })
    assert.deepEqual([next.state, next.failures], ['accepted', 1])
  })
  it('9801 to the first request of all means that the id ran out: a new one is reserved', () => {
    const next = applyOutcome(storing(), { kind: 'store-refused', code: '9801' })
    assert.deepEqual([next.state, next.osciMessageId, next.uncertain], ['queued', null, 0])
  })
  it('9801 after a request of unknown end is asked about, never taken as success', () => {
    const next = applyOutcome(storing({ uncertain: 2 }), { kind: 'store-refused', code: '9801' })
    assert.deepEqual([next.state, next.osciMessageId, next.uncertain], ['storing', 'm', 1])
  })
  it('final refusal rejects, but holds when an earlier request may have arrived', () => {
    assert.equal(applyOutcome(storing(), { kind: 'store-refused', code: '9706' }).state, 'rejected')
    assert.equal(applyOutcome(storing({ uncertain: 2 }), { kind: 'store-refused', code: '9706' }).state, 'held')
  })
  it('passing refusal goes back to reserved', () => {
    assert.equal(applyOutcome(storing(), { kind: 'store-refused', code: '9809' }).state, 'reserved')
  })
  it('9810 and 9811 are asked about', () => {
    for (const code of ['9810', '9811', '9999']) {
      const next = applyOutcome(storing(), { kind: 'store-refused', code })
      assert.deepEqual([next.state, next.uncertain, next.lastError], ['storing', 1, code])
    }
  })
  it('refused GetMessageId rejects for good reasons only', () => {
    assert.equal(applyOutcome(delivery(), { kind: 'refused', code: '9700' }).state, 'rejected')
    assert.equal(applyOutcome(delivery(), { kind: 'refused', code: '9811' }).state, 'queued')
    assert.equal(applyOutcome(storing(), { kind: 'refused', code: '9700' }).state, 'storing')
  })
  it('unreachable takes the announcement back, unknown does not', () => {
    const back = applyOutcome(storing(), { kind: 'store-unreachable' })
    assert.deepEqual([back.state, back.uncertain, back.lastError], ['reserved', 0, 'mailbox/unreachable'])
    const unknown = applyOutcome(storing(), { kind: 'unknown' })
    assert.deepEqual([unknown.state, unknown.uncertain, unknown.lastError], ['storing', 1, 'mailbox/no-answer'])
    assert.equal(applyOutcome(storing(), { kind: 'unreachable' }).state, 'storing')
  })
  it('fault proves nothing', () => {
    assert.deepEqual(applyOutcome(storing(), { kind: 'fault', code: '9100' }).state, 'storing')
    assert.deepEqual(applyOutcome(storing(), { kind: 'not-begun', code: '9400' }).state, 'storing')
  })
  it('impossible fails, or holds when something may have arrived', () => {
    const code = 'storage/key-destroyed'
    assert.equal(applyOutcome(delivery(), { kind: 'impossible', code }).state, 'failed')
    assert.equal(applyOutcome(delivery({ uncertain: 1 }), { kind: 'impossible', code }).state, 'held')
  })
})

describe('deadline and control', () => {
  it('nothing happens a second before the deadline', () => {
    assert.equal(applyDeadline(delivery(), NOW).state, 'queued')
  })
  it('a delivery that never left fails at the deadline', () => {
    assert.equal(applyDeadline(delivery(), DEADLINE).state, 'failed')
    assert.equal(applyDeadline(delivery({ lastError: '9811' }), DEADLINE).lastError, '9811')
  })
  it('a doubtful one is held', () => {
    assert.equal(applyDeadline(storing(), DEADLINE).state, 'held')
  })
  it('one that the intermediary has stays what it is', () => {
    const accepted = delivery({ state: 'accepted', osciMessageId: 'm' })
    assert.deepEqual(applyDeadline(accepted, DEADLINE), accepted)
    assert.deepEqual(applyDeadline(delivery({ deadline: null }), DEADLINE).state, 'queued')
  })
  it('closes only with Reception and a complete confirmation, in either order', () => {
    const early = applyControl(delivery({ state: 'accepted', osciMessageId: 'm' }), 'complete')
    assert.equal(early.state, 'accepted')
    const later = settle(applyOutcome(early, { kind: 'card', creation: NOW, reception: NOW }))
    assert.equal(later.state, 'checked')
    assert.equal(applyControl(delivery({ state: 'received' }), 'complete').state, 'checked')
    assert.equal(applyControl(delivery({ state: 'received' }), 'incomplete').state, 'received')
    assert.equal(applyControl(delivery({ state: 'received' }), 'unclear').state, 'received')
  })
})

describe('any history of outcomes', () => {
  const outcome: fc.Arbitrary<Outcome> = fc.oneof(
    fc.constantFrom<Outcome>(
      { kind: 'sending' },
      { kind: 'no-card' },
      { kind: 'unreachable' },
      { kind: 'store-unreachable' },
      { kind: 'unknown' },
      { kind: 'card', creation: NOW, reception: null },
      { kind: 'card', creation: NOW, reception: NOW },
      { kind: 'reserved', messageId: 'm2' },
    ),
    fc
      .constantFrom('9801', '9706', '9809', '9811', '9400')
      .chain((code) =>
        fc.constantFrom<Outcome>({ kind: 'store-refused', code }, { kind: 'refused', code }, { kind: 'fault', code }),
      ),
  )

  /** What can follow a step at all. */
  function possible(step: string, { kind }: Outcome): boolean {
    if (step === 'reserve') return ['reserved', 'refused', 'fault', 'unreachable', 'unknown'].includes(kind)
    if (step === 'store') return kind === 'sending'
    if (step === 'sending') return ['card', 'store-refused', 'store-unreachable', 'unknown', 'fault'].includes(kind)
    return ['card', 'no-card', 'refused', 'fault', 'unreachable', 'unknown'].includes(kind)
  }

  it('never sends under a new MessageId while an older request may have arrived', () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 60 }), (history) => {
        let now = delivery()
        let sending = false
        let open = new Set<string>()
        for (const event of history) {
          if (!possible(sending ? 'sending' : nextStep(now).kind, event)) continue
          const before = now
          now = applyOutcome(now, event)
          if (event.kind === 'sending') {
            sending = true
            continue
          }
          if (sending) {
            sending = false
            if (event.kind === 'unknown' || event.kind === 'fault') open.add(before.osciMessageId ?? '')
          }
          if (now.state === 'accepted' || now.state === 'received') open = new Set()
          if (now.state === 'queued') assert.equal(open.size, 0)
          assert.ok(now.uncertain >= 0)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the schedule of the relay', () => {
  it('doubles its pauses up to a quarter of an hour', () => {
    const pauses = [1, 2, 3, 20].map((failures) => nextTry(failures, null, NOW).getTime() - NOW.getTime())
    assert.deepEqual(pauses, [5_000, 10_000, 20_000, 900_000])
    assert.equal(nextTry(0, null, NOW).getTime() - NOW.getTime(), 5_000)
  })
  it('tries once more at the deadline, not after it', () => {
    assert.deepEqual(nextTry(9, DEADLINE, NOW), DEADLINE)
    assert.ok(nextTry(1, DEADLINE, new Date(DEADLINE.getTime() + 1)) > DEADLINE)
  })
  it('looks for Reception soon at first and ever more seldom', () => {
    const look = (ageMs: number): number => nextLook(new Date(NOW.getTime() - ageMs), NOW).getTime() - NOW.getTime()
    assert.deepEqual([look(0), look(40_000), look(10 * 3_600_000)], [2_000, 10_000, 3_600_000])
    assert.equal(watchedEnough(new Date(NOW.getTime() - 91 * 86_400_000), NOW), true)
    assert.equal(watchedEnough(NOW, NOW), false)
  })
})
