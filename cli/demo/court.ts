/** Demo steps at the court: a message queued, sent over HTTP to the embedded intermediary, collected, compared. */
import { setTimeout as delay } from 'node:timers/promises'
import { CliError } from '../errors.ts'
import { PRACTICE_COURT, TRIAL_MAILBOX } from '../first-start.ts'
import { findMailbox } from '../lookup.ts'
import { equal } from './expect.ts'
import type { SealedFile } from './sealed.ts'
import type { Stage } from './stage.ts'
import type { Mailbox, MailboxId, Message, MessageId, Storage } from '../../storage/index.ts'

export interface SentMessage {
  messageId: MessageId
  court: MailboxId
}

/** States in which the delivery has ended, for better or worse; `received` waits for the court's confirmation. */
const ENDED = new Set(['checked', 'rejected', 'failed', 'held'])

export async function sendToCourt({ house }: Stage, sealed: SealedFile) {
  const { storage, mailbox, operator } = house
  const from = await ownMailbox(storage, TRIAL_MAILBOX)
  const court = await ownMailbox(storage, PRACTICE_COURT)
  const message = await mailbox.send(
    { mailbox: from.id, to: court.address, subject: 'Probe', files: [sealed.fileId] },
    operator,
  )
  return {
    value: { messageId: message.id, court: court.id },
    facts: { from: from.name, to: court.name, state: message.state },
  }
}

async function ownMailbox(storage: Storage, key: string): Promise<Mailbox> {
  const { items } = await storage.mailboxes.list({ limit: 100 })
  const found = items.find((one) => one.keyName === key)
  return found ?? findMailbox(storage, key)
}

export async function expectCourtHasIt({ house }: Stage, sent: SentMessage, sealed: SealedFile) {
  const { storage } = house
  const out = await waitFor('the delivery to end', async () => {
    const message = await storage.messages.byId(sent.messageId)
    return ENDED.has(message.state) && message.receivedAt !== null ? message : null
  })
  const arrived = await waitFor('the court to have the message', async () => arrivedAt(storage, sent.court, out))
  const [attachment] = arrived.attachments
  if (!attachment) throw new CliError('cli/check-failed', 'the message arrived without its file')
  equal('sha256 at the court', attachment.sha256, sealed.sha256)
  const opened = await storage.contents.open(attachment.contentId)
  opened.stream.destroy()
  equal('size at the court', opened.size, sealed.size)
  const facts = {
    state: out.state,
    MessageId: out.osciMessageId ?? 'none',
    accepted: out.acceptedAt?.toISOString() ?? 'none',
    received: out.receivedAt?.toISOString() ?? 'none',
    'author signature': arrived.author ?? 'none',
    sha256: attachment.sha256,
  }
  return { value: null, facts }
}

async function arrivedAt(storage: Storage, court: MailboxId, out: Message): Promise<Message | null> {
  return out.osciMessageId === null ? null : storage.messages.byOsciId(court, 'in', out.osciMessageId)
}

async function waitFor<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await look()
    if (found !== null) return found
    await delay(100)
  }
  throw new CliError('cli/check-failed', `waited 60 s for ${what}`)
}
