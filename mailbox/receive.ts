/**
 * The `collect` handler: empties one mailbox. Raw bytes and row are committed before the next request, because in OSCI
 * the next request confirms the delivery before it.
 *
 * A delivery that cannot be read is kept as it came and put into the tray; it is never refused. A repeat is recognised by
 * its MessageId and changes nothing.
 */
import type {
  Actor,
  ClaimedJob,
  ContentId,
  JobOutcome,
  Mailbox,
  MailboxId,
  MessageAttachment,
  Rows,
  Storage,
  StoredContent,
} from '../storage/index.ts'
import { isStorageError } from '../storage/index.ts'
import { compareLists } from './control.ts'
import type { ControlVerdict } from './control.ts'
import { identityOf, linkOf } from './directory.ts'
import type { MailboxDeps } from './directory.ts'
import { MailboxError } from './errors.ts'
import { practiceAnswer } from './intermediary/practice-court.ts'
import { readLetter } from './letter.ts'
import type { Letter } from './letter.ts'
import { openOsciDialog } from './osci/client.ts'
import type { Answer, FetchedDelivery } from './osci/client.ts'
import { openContent } from './osci/content-reading.ts'
import type { OpenedContent } from './osci/content-reading.ts'
import { fingerprint } from './osci/identity.ts'
import type { Attachment } from './osci/messages.ts'
import { applyControl } from './relay/delivery.ts'
import { deliveryOf } from './relay/deliver.ts'
import { queueMessage } from './send.ts'
import { commitOrDiscard, discardAll } from './stored-bytes.ts'

const COLLECTOR: Actor = { kind: 'system', name: 'collect' }

/** Collects a mailbox as a job. */
export async function collectJob(deps: MailboxDeps, job: ClaimedJob, signal: AbortSignal): Promise<JobOutcome> {
  const result = await collect(deps, job.subject as MailboxId, signal)
  return result.kind === 'emptied' ? { kind: 'done' } : { kind: 'failed', reason: result.reason }
}

/** `collected` counts new messages; repeats do not count. `reason` is a code. */
export type CollectResult =
  { kind: 'emptied'; collected: number } | { kind: 'interrupted'; collected: number; reason: string }

/**
 * Fetches everything that waits for a mailbox.
 *
 * @throws MailboxError `mailbox/unknown-mailbox` its keys are not here
 * @throws StorageError whatever keeps a delivery from being saved; it is then not confirmed and comes again
 */
export async function collect(deps: MailboxDeps, id: MailboxId, signal?: AbortSignal): Promise<CollectResult> {
  const mailbox = await deps.storage.mailboxes.byId(id)
  const opened = await openOsciDialog({
    identity: identityOf(deps, mailbox),
    intermediary: linkOf(deps, mailbox),
    random: deps.random,
    maxBytes: deps.limits.maxBytes * 2,
    ...(signal ? { signal } : {}),
  })
  if (opened.kind !== 'executed') return { kind: 'interrupted', collected: 0, reason: reasonOf(opened) }
  const dialog = opened.value
  let collected = 0
  for (let more = true; more;) {
    const answer = await dialog.fetchDelivery()
    // A dialog that broke must not go on: any further request would confirm what was not read.
    if (answer.kind !== 'executed') return { kind: 'interrupted', collected, reason: reasonOf(answer) }
    if (answer.value && (await keep(deps, mailbox, answer.value, answer.raw))) collected += 1
    more = answer.value !== null && answer.feedback.some(({ code }) => code === '3800')
  }
  const ended = await dialog.exit()
  if (ended.kind !== 'executed') return { kind: 'interrupted', collected, reason: reasonOf(ended) }
  return { kind: 'emptied', collected }
}

function reasonOf(answer: Exclude<Answer<unknown>, { kind: 'executed' }>): string {
  if (answer.kind === 'refused' || answer.kind === 'fault') return `osci/${answer.code}`
  return answer.kind === 'unreachable' ? 'mailbox/unreachable' : 'mailbox/no-answer'
}

/** What a delivery turned out to be. */
interface Read {
  content: OpenedContent | null
  letter: Letter | null
  /** why it goes to the tray; null = readable */
  fault: string | null
}

/** Saves one delivery. @returns false = it was here already */
async function keep(deps: MailboxDeps, mailbox: Mailbox, delivery: FetchedDelivery, raw: Buffer): Promise<boolean> {
  const { storage } = deps
  if (await storage.messages.byOsciId(mailbox.id, 'in', delivery.card.messageId)) return false
  const read = await open(deps, mailbox, delivery)
  const sender = await senderOf(deps, delivery)
  const bytes = await storeBytes(storage, mailbox, raw, read.content?.attachments ?? [])
  const { contentId, attachments, stored } = bytes
  const message = { ...messageOf(mailbox, delivery, read), contentId, attachments, partner: sender.address }
  const save = async (rows: Rows): Promise<void> => {
    for (const content of stored) await content.commit(rows.db)
    await rows.messages.add(message, COLLECTOR)
    await control(rows, mailbox, read, sender.mailbox)
  }
  const answer = practiceAnswer(deps, { mailbox, sender: sender.mailbox, message, letter: read.letter })
  try {
    await commitOrDiscard(stored, async () => {
      if (answer) await queueMessage(deps, answer.order, { by: COLLECTOR, due: answer.due, also: save })
      else await storage.transact(save)
    })
    return true
  } catch (error) {
    // Two collectors at once: the other one has it.
    if (isStorageError(error, 'storage/already-exists')) return false
    throw error
  }
}

/** Seals the raw delivery and what is in it; nothing of it exists before `save`. */
async function storeBytes(
  storage: Storage,
  mailbox: Mailbox,
  raw: Buffer,
  parts: readonly Attachment[],
): Promise<{ contentId: ContentId; attachments: MessageAttachment[]; stored: StoredContent[] }> {
  const whole = await storage.contents.put(mailbox.id, raw)
  const stored = [whole]
  const attachments: MessageAttachment[] = []
  try {
    for (const { name, contentType, body } of parts) {
      const part = await storage.contents.put(mailbox.id, body)
      stored.push(part)
      const { contentId, size, sha256 } = part
      attachments.push({ name, mediaType: contentType, contentId, size, sha256 })
    }
  } catch (error) {
    await discardAll(stored)
    throw error
  }
  return { contentId: whole.contentId, attachments, stored }
}

function messageOf(mailbox: Mailbox, { card }: FetchedDelivery, { content, letter, fault }: Read) {
  return {
    mailboxId: mailbox.id,
    direction: 'in',
    subject: letter?.subject ?? card.subject ?? '',
    state: fault === null ? 'received' : 'tray',
    osciMessageId: card.messageId,
    intermediary: mailbox.intermediary,
    acceptedAt: card.creation,
    author: content?.author ?? null,
    answers: letter?.answers ?? null,
    lastError: fault,
  } as const
}

async function open(deps: MailboxDeps, mailbox: Mailbox, delivery: FetchedDelivery): Promise<Read> {
  const key = identityOf(deps, mailbox).decryption
  try {
    const content = await openContent(delivery.message, delivery.certificates, { key, ciphers: 'modern' })
    const letter = content.inline.map(({ bytes }) => readLetter(bytes)).find((found) => found !== null) ?? null
    const nothing = content.unreadable > 0 && content.inline.length === 0 && content.attachments.length === 0
    return { content, letter, fault: nothing ? 'mailbox/wrong-recipient' : null }
  } catch (error) {
    if (!(error instanceof MailboxError)) throw error
    deps.log.warn({ mailbox: mailbox.id, code: error.code }, 'a delivery cannot be read and goes to the tray')
    return { content: null, letter: null, fault: error.code }
  }
}

/** The sender by its cipher certificate; one that is in no directory here is named by the certificate's hash. */
async function senderOf(
  deps: MailboxDeps,
  delivery: FetchedDelivery,
): Promise<{ mailbox: Mailbox | null; address: string }> {
  const entry = delivery.certificates.find(({ role }) => role === 'CipherCertificateOriginator')
  if (!entry) return { mailbox: null, address: 'unknown' }
  const mailbox = await deps.storage.mailboxes.byCertificate(entry.certificate)
  return { mailbox, address: mailbox?.address ?? `sha256:${fingerprint(entry.certificate)}` }
}

/** A confirmation closes the control of the message it answers, if it comes from the one that message went to. */
async function control(rows: Rows, mailbox: Mailbox, read: Read, sender: Mailbox | null): Promise<void> {
  const { letter, content } = read
  if (letter?.kind !== 'eingang' || letter.answers === null || !content) return
  const { answers } = letter
  // The relay may move the message between our reading and writing; then what it wrote is read again.
  for (let settled = false; !settled;) {
    const sent = await rows.messages.byOsciId(mailbox.id, 'out', answers)
    if (!sent || sent.partner !== sender?.address) return
    const signed = content.author === 'valid' && content.signers.some((der) => der.equals(sender.signatureCertificate))
    const verdict: ControlVerdict = signed ? compareLists(sent.attachments, letter.files) : 'unclear'
    const next = applyControl(deliveryOf(sent), verdict)
    settled = await rows.messages.advance(sent.id, sent.state, { control: next.control, state: next.state }, COLLECTOR)
  }
}
