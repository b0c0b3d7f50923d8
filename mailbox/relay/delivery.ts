/**
 * One outgoing delivery as a pure state machine: what is the next step, and what does an outcome make of it.
 *
 * `queued → reserved → storing → accepted → received → checked`, side exits `rejected`, `failed`, `held`.
 * A MessageId is saved before StoreDelivery uses it, and `storing` is saved before StoreDelivery leaves: whoever finds a
 * delivery in `storing` asks for its Laufzettel and never sends blindly.
 */
import { feedbackClass } from '../osci/feedback.ts'

export type DeliveryState =
  'queued' | 'reserved' | 'storing' | 'accepted' | 'received' | 'checked' | 'rejected' | 'failed' | 'held'

/** What a row knows of a delivery. */
export interface Delivery {
  state: DeliveryState
  /** null before it is reserved */
  osciMessageId: string | null
  /** StoreDelivery requests that left and whose outcome is not known */
  uncertain: number
  /** failed tries since the last step forward */
  failures: number
  /** after it a person decides */
  deadline: Date | null
  acceptedAt: Date | null
  receivedAt: Date | null
  /** the addressee's confirmation against the frozen list */
  control: 'complete' | 'incomplete' | 'unclear' | null
  /** code of the last failure */
  lastError: string | null
}

/** What to do next. */
export type Step =
  /** GetMessageId */
  | { kind: 'reserve' }
  /** save `storing`, then StoreDelivery with this MessageId */
  | { kind: 'store'; messageId: string }
  /** FetchProcessCard: did an earlier StoreDelivery arrive? */
  | { kind: 'ask'; messageId: string }
  /** FetchProcessCard: has the addressee confirmed? */
  | { kind: 'watch'; messageId: string }
  /** nothing of the relay's */
  | { kind: 'rest' }

/** What became of a step. */
export type Outcome =
  | { kind: 'reserved'; messageId: string }
  /** StoreDelivery is about to leave */
  | { kind: 'sending' }
  | { kind: 'card'; creation: Date | null; reception: Date | null }
  | { kind: 'no-card' }
  /** a signed answer with an error code */
  | { kind: 'refused'; code: string }
  /** the same to StoreDelivery itself */
  | { kind: 'store-refused'; code: string }
  /** an unsigned SOAP fault: proves nothing */
  | { kind: 'fault'; code: string }
  | { kind: 'unreachable' }
  /** StoreDelivery never left, though it was announced */
  | { kind: 'store-unreachable' }
  /** it left, no usable answer came back */
  | { kind: 'unknown' }
  /** the dialog did not open: the step was not begun */
  | { kind: 'not-begun'; code: string }
  /** the frozen content or the addressee is gone: it can never be sent */
  | { kind: 'impossible'; code: string }

/** The next step of a delivery. */
export function nextStep({ state, osciMessageId }: Delivery): Step {
  if (state === 'queued') return { kind: 'reserve' }
  if (osciMessageId === null) return { kind: 'rest' }
  if (state === 'reserved') return { kind: 'store', messageId: osciMessageId }
  if (state === 'storing') return { kind: 'ask', messageId: osciMessageId }
  if (state === 'accepted') return { kind: 'watch', messageId: osciMessageId }
  return { kind: 'rest' }
}

/** What an outcome makes of a delivery. */
export function applyOutcome(delivery: Delivery, outcome: Outcome): Delivery {
  if (isFailure(outcome)) return applyFailure(delivery, outcome)
  switch (outcome.kind) {
    case 'reserved':
      return forward(delivery, { state: 'reserved', osciMessageId: outcome.messageId })
    case 'sending':
      return { ...delivery, state: 'storing', uncertain: delivery.uncertain + 1 }
    case 'card':
      return withCard(delivery, outcome)
    case 'no-card':
      return withoutCard(delivery)
    case 'refused':
      return refuse(delivery, outcome.code)
    case 'store-refused':
      return refuseStore(delivery, outcome.code)
  }
}

type Failure = Extract<
  Outcome,
  { kind: 'store-unreachable' | 'unreachable' | 'unknown' | 'fault' | 'not-begun' | 'impossible' }
>

const FAILURES: ReadonlySet<Outcome['kind']> = new Set<Failure['kind']>([
  'store-unreachable',
  'unreachable',
  'unknown',
  'fault',
  'not-begun',
  'impossible',
])

function isFailure(outcome: Outcome): outcome is Failure {
  return FAILURES.has(outcome.kind)
}

function applyFailure(delivery: Delivery, failure: Failure): Delivery {
  switch (failure.kind) {
    case 'store-unreachable':
      return takeBack(delivery)
    case 'unreachable':
      return failed(delivery, 'mailbox/unreachable')
    case 'unknown':
      return failed(delivery, 'mailbox/no-answer')
    case 'fault':
    case 'not-begun':
      return failed(delivery, failure.code)
    case 'impossible':
      // An earlier request may have arrived all the same; then a person decides.
      return { ...failed(delivery, failure.code), state: delivery.uncertain > 0 ? 'held' : 'failed' }
  }
}

/** The addressee's confirmation arrived and was compared with the frozen list. */
export function applyControl(delivery: Delivery, control: NonNullable<Delivery['control']>): Delivery {
  return settle({ ...delivery, control })
}

/** A delivery whose deadline has passed: undelivered ones fail, doubtful ones are held for a person. */
export function applyDeadline(delivery: Delivery, now: Date): Delivery {
  if (!delivery.deadline || now < delivery.deadline) return delivery
  const lastError = delivery.lastError ?? 'mailbox/deadline'
  const { state, uncertain } = delivery
  if (state !== 'queued' && state !== 'reserved' && state !== 'storing') return delivery
  return { ...delivery, state: uncertain > 0 ? 'held' : 'failed', lastError }
}

function withCard(delivery: Delivery, card: { creation: Date | null; reception: Date | null }): Delivery {
  const acceptedAt = card.creation ?? delivery.acceptedAt
  const known = { ...delivery, uncertain: 0, failures: 0, lastError: null, acceptedAt }
  if (!card.reception) return { ...known, state: 'accepted' }
  return { ...known, state: 'received', receivedAt: card.reception }
}

/** Only a complete confirmation of a delivery that was received closes it; either may come first. */
export function settle(delivery: Delivery): Delivery {
  const closes = delivery.state === 'received' && delivery.control === 'complete'
  return closes ? { ...delivery, state: 'checked' } : delivery
}

/** The intermediary keeps no delivery of this MessageId. */
function withoutCard(delivery: Delivery): Delivery {
  if (delivery.state !== 'storing') return failed(delivery, '9804')
  // Used up, they say, but no card: one of the two is wrong, and only a person can find out which.
  if (delivery.lastError === '9801') return { ...delivery, state: 'held' }
  return { ...delivery, state: 'reserved', lastError: '9804' }
}

/** A signed refusal of anything but StoreDelivery: only GetMessageId can be refused for good. */
function refuse(delivery: Delivery, code: string): Delivery {
  if (delivery.state === 'queued' && feedbackClass(code) === 'final') {
    return { ...delivery, state: 'rejected', lastError: code }
  }
  return failed(delivery, code)
}

/** A signed refusal of StoreDelivery: this one did not arrive. */
function refuseStore(delivery: Delivery, code: string): Delivery {
  const uncertain = Math.max(0, delivery.uncertain - 1)
  const meaning = feedbackClass(code)
  if (code === '9801') {
    // Never left before: the id was not used by us, it has run out. Otherwise our own earlier request may have used it.
    if (uncertain === 0) return { ...failed(delivery, code), state: 'queued', osciMessageId: null, uncertain }
    return { ...failed(delivery, code), uncertain }
  }
  if (meaning === 'final') return { ...failed(delivery, code), state: uncertain > 0 ? 'held' : 'rejected', uncertain }
  if (meaning === 'retry') return { ...failed(delivery, code), state: 'reserved', uncertain }
  return failed(delivery, code)
}

/** Nothing left this machine: the announcement is taken back. */
function takeBack(delivery: Delivery): Delivery {
  const next = failed(delivery, 'mailbox/unreachable')
  return { ...next, state: 'reserved', uncertain: Math.max(0, delivery.uncertain - 1) }
}

function forward(delivery: Delivery, step: Partial<Delivery>): Delivery {
  return { ...delivery, failures: 0, lastError: null, ...step }
}

function failed(delivery: Delivery, code: string): Delivery {
  return { ...delivery, failures: delivery.failures + 1, lastError: code }
}
