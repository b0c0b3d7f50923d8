/**
 * Sending: files of a room and a subject become a queued message with frozen hashes, in one transaction with its job.
 *
 * Nothing leaves the machine here; relay/deliver.ts does that. After the freeze the message names contents, not files: a
 * new version of a file changes nothing in it.
 */
import { newRowId } from '../storage/index.ts'
import type {
  Actor,
  FileId,
  Mailbox,
  MailboxId,
  Message,
  MessageAttachment,
  MessageId,
  Rows,
} from '../storage/index.ts'
import type { MailboxDeps } from './directory.ts'
import { identityOf, linkOf } from './directory.ts'
import { MailboxError } from './errors.ts'
import { writeLetter } from './letter.ts'
import type { Letter } from './letter.ts'
import { isPartName } from './osci/mime.ts'
import { commitOrDiscard } from './stored-bytes.ts'

/** What to send. */
export interface SendOrder {
  /** own mailbox that sends */
  mailbox: MailboxId
  /** address of a mailbox in the directory of this server */
  to: string
  /** what it is about; only the addressee sees it */
  subject: string
  /** files of rooms; their current versions are frozen */
  files: readonly FileId[]
}

/**
 * Queues a message.
 *
 * @throws MailboxError `mailbox/unknown-mailbox`, `mailbox/unknown-addressee`, `mailbox/nothing-to-send`,
 *   `mailbox/bad-attachment-name`, `mailbox/too-large`
 * @throws StorageError `storage/not-found` a file does not exist
 */
export async function sendMessage(deps: MailboxDeps, order: SendOrder, by: Actor): Promise<Message> {
  const { storage } = deps
  const mailbox = await storage.mailboxes.byId(order.mailbox)
  identityOf(deps, mailbox)
  linkOf(deps, mailbox)
  const addressee = await storage.mailboxes.byAddress(order.to)
  if (!addressee) throw new MailboxError('mailbox/unknown-addressee', 'no mailbox has this address')
  const attachments = await freeze(deps, order.files)
  const letter: Letter = {
    kind: 'nachricht',
    subject: cleanSubject(order.subject),
    answers: null,
    files: attachments.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
  }
  return queueMessage(deps, { mailbox, addressee, letter, attachments }, { by })
}

/** A message ready to be queued. */
export interface QueueOrder {
  mailbox: Mailbox
  addressee: Mailbox
  letter: Letter
  attachments: MessageAttachment[]
}

/**
 * Writes message and job; with `also` in the same transaction.
 *
 * @param options.due when the first step is due; absent = at once
 */
export async function queueMessage(
  deps: MailboxDeps,
  { mailbox, addressee, letter, attachments }: QueueOrder,
  options: { by: Actor; due?: Date; also?: (rows: Rows) => Promise<void> },
): Promise<Message> {
  const { storage, random, clock, limits } = deps
  const stored = await storage.contents.put(mailbox.id, writeLetter(letter))
  const id = newRowId<MessageId>({ clock, random })
  const due = options.due ?? clock()
  return commitOrDiscard([stored], () =>
    storage.transact(async (rows) => {
      await stored.commit(rows.db)
      const message = await rows.messages.add(
        {
          id,
          mailboxId: mailbox.id,
          direction: 'out',
          partner: addressee.address,
          subject: letter.subject,
          state: 'queued',
          osciMessageId: null,
          intermediary: mailbox.intermediary,
          contentId: stored.contentId,
          attachments,
          answers: letter.answers,
          deadline: new Date(due.getTime() + limits.deliveryDeadlineMs),
        },
        options.by,
      )
      await rows.jobs.add({ kind: 'deliver', subject: id, due, partner: mailbox.intermediary })
      await options.also?.(rows)
      return message
    }),
  )
}

async function freeze({ storage, limits }: MailboxDeps, files: readonly FileId[]): Promise<MessageAttachment[]> {
  if (files.length === 0) throw new MailboxError('mailbox/nothing-to-send', 'the order names no file')
  if (files.length > limits.maxFiles) {
    throw new MailboxError('mailbox/too-large', `${files.length} files exceed ${limits.maxFiles}`)
  }
  const frozen: MessageAttachment[] = []
  for (const id of files) {
    const { name, current, state } = await storage.files.byId(id)
    if (state !== 'present' || current.state !== 'released' || current.sha256 === null) {
      throw new MailboxError('mailbox/nothing-to-send', `file ${id} is not released`)
    }
    const { contentId, size, sha256, mediaType } = current
    frozen.push({ name: name.normalize('NFC'), mediaType, contentId, size, sha256 })
  }
  checkNames(frozen)
  const total = frozen.reduce((sum, { size }) => sum + size, 0)
  if (total > limits.maxBytes) throw new MailboxError('mailbox/too-large', `${total} bytes exceed ${limits.maxBytes}`)
  return frozen
}

/** Names are references inside the message: unique for every reader, and fit for a MIME header as they are. */
function checkNames(files: readonly MessageAttachment[]): void {
  const seen = new Set(['osci@message', 'osci_enc'])
  for (const [index, { name }] of files.entries()) {
    const key = name.toLowerCase()
    if (!isPartName(name)) {
      throw new MailboxError('mailbox/bad-attachment-name', `file ${index + 1} has a name that cannot be sent`)
    }
    if (seen.has(key)) throw new MailboxError('mailbox/bad-attachment-name', `file ${index + 1} has a name used twice`)
    seen.add(key)
  }
}

function cleanSubject(subject: string): string {
  const text = subject
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]+/gu, ' ')
    .trim()
  return text.slice(0, 500)
}
