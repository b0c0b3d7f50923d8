/**
 * The face of the mailbox: messages to and from courts over OSCI, and the embedded intermediary.
 *
 * `createMailbox` sends, relays and collects; `createIntermediary` is the server side. Both get opened keys and ways to
 * intermediaries from the composition root. Bytes and rows live in storage.
 */
import type { Readable } from 'node:stream'
import type { Actor, JobHandler, MailboxId, Message, MessageAttachment, MessageId } from '../storage/index.ts'
import { StorageError } from '../storage/index.ts'
import { DEFAULT_LIMITS } from './directory.ts'
import type { MailboxDeps, MailboxLimits } from './directory.ts'
import { collect, collectJob } from './receive.ts'
import type { CollectResult } from './receive.ts'
import { deliver } from './relay/deliver.ts'
import { sendMessage } from './send.ts'
import type { SendOrder } from './send.ts'

export { MailboxError } from './errors.ts'
export type { MailboxErrorCode } from './errors.ts'
export { mailboxTrust } from './directory.ts'
export type { IntermediaryLink } from './directory.ts'
export { partyOf } from './osci/identity.ts'
export type { OsciIdentity } from './osci/identity.ts'
export { httpTransport } from './osci/transport.ts'
export type { OsciTransport } from './osci/transport.ts'
export { createIntermediary } from './intermediary/server.ts'
export type { Intermediary, IntermediarySettings } from './intermediary/server.ts'
export type { CertificateTrust } from './intermediary/inspection.ts'
export type { CollectResult } from './receive.ts'
export type { SendOrder } from './send.ts'

export interface MailboxModule {
  /** Queues a message; see send.ts for what is refused. Nothing has left when this resolves. */
  send(order: SendOrder, by: Actor): Promise<Message>
  /** Empties a mailbox now, beside the standing job. */
  collect(mailbox: MailboxId, signal?: AbortSignal): Promise<CollectResult>
  /**
   * One file of a message in the clear, sent or received.
   *
   * @param position from 0, as in `message.attachments`
   * @throws StorageError `storage/not-found` no such message or file
   */
  openAttachment(id: MessageId, position: number): Promise<{ attachment: MessageAttachment; stream: Readable }>
  /** Sees to it that every own mailbox has its standing `collect` job; call at start and when mailboxes are added. */
  ensureCollecting(): Promise<void>
  /** For the worker. */
  handlers: { deliver: JobHandler; collect: JobHandler }
}

export interface CreateMailboxDeps extends Omit<MailboxDeps, 'limits' | 'practiceCourt'> {
  limits?: Partial<MailboxLimits>
  /** default: answers promptly */
  practiceCourt?: MailboxDeps['practiceCourt']
}

/** Sending, relaying and collecting over storage. */
export function createMailbox(given: CreateMailboxDeps): MailboxModule {
  const practiceCourt = given.practiceCourt ?? { mood: 'prompt' }
  const deps: MailboxDeps = { ...given, limits: { ...DEFAULT_LIMITS, ...given.limits }, practiceCourt }
  return {
    send: (order, by) => sendMessage(deps, order, by),
    collect: (mailbox, signal) => collect(deps, mailbox, signal),
    openAttachment: async (id, position) => {
      const attachment = (await deps.storage.messages.byId(id)).attachments[position]
      if (!attachment) throw new StorageError('storage/not-found', 'the message has no such file')
      return { attachment, stream: (await deps.storage.contents.open(attachment.contentId)).stream }
    },
    ensureCollecting: () => ensureCollecting(deps),
    handlers: {
      deliver: (job, signal) => deliver(deps, job, signal),
      collect: (job, signal) => collectJob(deps, job, signal),
    },
  }
}

async function ensureCollecting({ storage, limits }: MailboxDeps): Promise<void> {
  for (let after: string | null = null; ;) {
    const page = await storage.mailboxes.list({ after, limit: 100 })
    for (const mailbox of page.items) {
      if (mailbox.keyName === null) continue
      const { id, intermediary } = mailbox
      const everyMs = limits.collectEveryMs
      await storage.jobs.ensureStanding({ kind: 'collect', subject: id, partner: intermediary, everyMs })
    }
    after = page.next
    if (after === null) return
  }
}
