/**
 * The `deliver` handler: takes one message as far as it gets in one dialog, and saves every step before the next.
 *
 * What to do is decided by delivery.ts; here it is done. Killed anywhere, the next run reads the row and goes on.
 */
import type { Actor, ClaimedJob, JobOutcome, Message, MessageId, MessagePatch } from '../../storage/index.ts'
import { isStorageError } from '../../storage/index.ts'
import { identityOf, linkOf } from '../directory.ts'
import type { MailboxDeps } from '../directory.ts'
import { MailboxError } from '../errors.ts'
import { OSCI_SUBJECTS, readLetter } from '../letter.ts'
import { openOsciDialog } from '../osci/client.ts'
import type { Answer, DeliveryOrder, OsciDialog } from '../osci/client.ts'
import type { Attachment, ProcessCard } from '../osci/messages.ts'
import { readContent } from '../stored-bytes.ts'
import { applyDeadline, applyOutcome, nextStep, settle } from './delivery.ts'
import type { Delivery, DeliveryState, Outcome, Step } from './delivery.ts'
import { nextLook, nextTry, watchedEnough } from './schedule.ts'

const RELAY: Actor = { kind: 'system', name: 'relay' }

/** One run of a delivery. Never repeats a StoreDelivery whose outcome is not known without asking first. */
export async function deliver(deps: MailboxDeps, job: ClaimedJob, signal: AbortSignal): Promise<JobOutcome> {
  const run = new Run(deps, await deps.storage.messages.byId(job.subject as MessageId), signal)
  try {
    return await run.toTheEnd()
  } finally {
    await run.close()
  }
}

/** What one step brought: an outcome, and the raw answer when it carried a Laufzettel. */
interface Done {
  outcome: Outcome
  raw: Buffer | null
}

class Run {
  private readonly deps: MailboxDeps
  private message: Message
  private readonly signal: AbortSignal
  private dialog: OsciDialog | null = null

  constructor(deps: MailboxDeps, message: Message, signal: AbortSignal) {
    this.deps = deps
    this.message = message
    this.signal = signal
  }

  async toTheEnd(): Promise<JobOutcome> {
    for (;;) {
      // Read again: the collector may have written the addressee's confirmation meanwhile.
      this.message = await this.deps.storage.messages.byId(this.message.id)
      const due = settle(applyDeadline(deliveryOf(this.message), this.deps.clock()))
      if (due.state !== this.message.state && !(await this.save(due, null))) return LOST
      const step = nextStep(deliveryOf(this.message))
      if (step.kind === 'rest') return { kind: 'done' }
      const before = this.message
      const done = await this.take(step)
      if (done === 'lost') return LOST
      if (!(await this.save(applyOutcome(deliveryOf(this.message), done.outcome), done.raw))) return LOST
      const pause = this.pauseAfter(before)
      if (pause) return pause
    }
  }

  /** Null = go on at once; otherwise when the next run is due, or that none is. */
  private pauseAfter(before: Message): JobOutcome | null {
    const { failures, deadline, acceptedAt, state } = this.message
    const now = this.deps.clock()
    const ended = nextStep(deliveryOf(this.message)).kind === 'rest'
    // Received: the next round sees whether the confirmation is there already.
    if (ended) return state === 'received' ? null : { kind: 'done' }
    if (failures > before.failures) return { kind: 'again', at: nextTry(failures, deadline, now) }
    if (state !== 'accepted') return null
    const since = acceptedAt ?? now
    return watchedEnough(since, now) ? { kind: 'done' } : { kind: 'again', at: nextLook(since, now) }
  }

  private async take(step: Exclude<Step, { kind: 'rest' }>): Promise<Done | 'lost'> {
    const order = step.kind === 'store' ? await this.order(step.messageId) : null
    if (order && 'outcome' in order) return order
    const dialog = await this.open()
    if ('outcome' in dialog) return dialog
    if (step.kind === 'reserve') {
      const answer = await dialog.getMessageId()
      return answer.kind === 'executed'
        ? { outcome: { kind: 'reserved', messageId: answer.value }, raw: null }
        : this.broken(answer)
    }
    if (!order) return this.cards(await dialog.fetchProcessCards([step.messageId]), step.messageId)
    // Saved before it leaves: a crash from here on is found as `storing`, and asked about.
    if (!(await this.save(applyOutcome(deliveryOf(this.message), { kind: 'sending' }), null))) return 'lost'
    const answer = await dialog.storeDelivery(order)
    if (answer.kind === 'executed') return cardDone(answer.value, answer.raw)
    const done = this.broken(answer)
    if (answer.kind === 'refused') return { ...done, outcome: { kind: 'store-refused', code: answer.code } }
    return answer.kind === 'unreachable' ? { ...done, outcome: { kind: 'store-unreachable' } } : done
  }

  private async open(): Promise<OsciDialog | Done> {
    if (this.dialog) return this.dialog
    const { storage, random, limits } = this.deps
    const mailbox = await storage.mailboxes.byId(this.message.mailboxId)
    const answer = await openOsciDialog({
      identity: identityOf(this.deps, mailbox),
      intermediary: linkOf(this.deps, mailbox),
      random,
      maxBytes: limits.maxBytes * 2,
      signal: this.signal,
    })
    if (answer.kind === 'executed') this.dialog = answer.value
    // A dialog that never opened carried no StoreDelivery: whatever happened, nothing of the message left.
    return answer.kind === 'executed' ? answer.value : { outcome: notBegun(answer), raw: null }
  }

  private broken(answer: Exclude<Answer<unknown>, { kind: 'executed' }>): Done {
    if (answer.kind !== 'refused') this.dialog = null
    if (answer.kind === 'unknown') {
      this.deps.log.warn({ message: this.message.id, err: answer.cause }, 'an answer of the intermediary is missing')
    }
    if (answer.kind === 'refused' || answer.kind === 'fault') return { outcome: answer, raw: null }
    return { outcome: { kind: answer.kind }, raw: null }
  }

  private cards(answer: Answer<ProcessCard[]>, messageId: string): Done {
    if (answer.kind !== 'executed') return this.broken(answer)
    const card = answer.value.find((candidate) => candidate.messageId === messageId)
    return card ? cardDone(card, answer.raw) : { outcome: { kind: 'no-card' }, raw: null }
  }

  /** The content of the StoreDelivery from the frozen contents, or the reason why it can never be sent. */
  private async order(messageId: string): Promise<DeliveryOrder | Done> {
    const { storage } = this.deps
    const addressee = await storage.mailboxes.byAddress(this.message.partner)
    if (!addressee) return final('mailbox/unknown-addressee')
    if (this.message.contentId === null) return final('storage/not-found')
    try {
      const inline = await readContent(storage, this.message.contentId)
      const attachments: Attachment[] = []
      for (const file of this.message.attachments) {
        const body = await readContent(storage, file.contentId, file)
        attachments.push({ name: file.name, contentType: safeMediaType(file.mediaType), body })
      }
      const subject = OSCI_SUBJECTS[readLetter(inline)?.kind ?? 'nachricht']
      return { messageId, subject, addressee: addressee.cipherCertificate, inline, attachments }
    } catch (error) {
      // Erased, damaged or changed since the freeze: trying again will not bring the bytes back.
      const gone = [
        'storage/key-destroyed',
        'storage/not-found',
        'storage/object-damaged',
        'storage/object-absent',
      ] as const
      const code = gone.find((candidate) => isStorageError(error, candidate))
      if (code) return final(code)
      if (error instanceof MailboxError) return final(error.code)
      throw error
    }
  }

  /** Writes the delivery back unless somebody else moved it. */
  private async save(next: Delivery, raw: Buffer | null): Promise<boolean> {
    const patch: MessagePatch = { ...next }
    delete patch.control // the collector's column: what was read of it may be old
    if (raw) {
      if (this.message.receipt === null) patch.receipt = raw
      if (next.receivedAt && this.message.receptionReceipt === null) patch.receptionReceipt = raw
    }
    const saved = await this.deps.storage.messages.advance(this.message.id, this.message.state, patch, RELAY)
    if (saved) this.message = { ...this.message, ...patch }
    return saved
  }

  /** Ends the dialog politely; an ExitDialog that fails changes nothing. */
  async close(): Promise<void> {
    const { dialog } = this
    this.dialog = null
    const answer = await dialog?.exit()
    if (answer && answer.kind !== 'executed') {
      this.deps.log.debug({ message: this.message.id, outcome: answer.kind }, 'the dialog did not end as it should')
    }
  }
}

/** Another runner moved the message: this one stops, and looks again in case that one dies. */
const LOST: JobOutcome = { kind: 'failed', reason: 'mailbox/overtaken' }

/** The relay's view of a row. */
export function deliveryOf(message: Message): Delivery {
  const { state, osciMessageId, uncertain, failures, deadline, acceptedAt, receivedAt, control, lastError } = message
  return {
    state: state as DeliveryState,
    osciMessageId,
    uncertain,
    failures,
    deadline,
    acceptedAt,
    receivedAt,
    control: control as Delivery['control'],
    lastError,
  }
}

function cardDone(card: ProcessCard, raw: Buffer): Done {
  return { outcome: { kind: 'card', creation: card.creation, reception: card.reception }, raw }
}

function final(code: string): Done {
  return { outcome: { kind: 'impossible', code }, raw: null }
}

function notBegun(answer: Exclude<Answer<unknown>, { kind: 'executed' }>): Outcome {
  if (answer.kind === 'refused' || answer.kind === 'fault') return { kind: 'not-begun', code: answer.code }
  return { kind: 'not-begun', code: answer.kind === 'unreachable' ? 'mailbox/unreachable' : 'mailbox/no-answer' }
}

/** A media type as a MIME header may carry it. */
function safeMediaType(mediaType: string | null): string {
  const plain = mediaType !== null && /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(mediaType) && mediaType !== 'text/base64'
  return plain ? mediaType : 'application/octet-stream'
}
