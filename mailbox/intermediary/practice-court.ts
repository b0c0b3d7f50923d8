/**
 * The practice court (Übungsgericht): an own mailbox that confirms what it collected, like the courts' software does.
 *
 * It is an ordinary mailbox with ordinary keys; only the answer is made by the program. Told so, it is late or silent, for
 * training and for tests of our patience. It never answers confirmations, so two of them cannot talk for ever.
 */
import type { Mailbox, NewMessage } from '../../storage/index.ts'
import type { MailboxDeps } from '../directory.ts'
import type { Letter } from '../letter.ts'
import type { QueueOrder } from '../send.ts'

export interface Collected {
  mailbox: Mailbox
  /** null = the sender is in no directory here */
  sender: Mailbox | null
  message: NewMessage
  letter: Letter | null
}

/** The confirmation that the practice court owes; null = none. */
export function practiceAnswer(deps: MailboxDeps, collected: Collected): { order: QueueOrder; due: Date } | null {
  const { mailbox, sender, message, letter } = collected
  const { mood, delayMs } = deps.practiceCourt
  const owes = mailbox.kind === 'practice-court' && mood !== 'silent' && message.state === 'received'
  if (!owes || !sender || letter?.kind === 'eingang') return null
  const confirmation: Letter = {
    kind: 'eingang',
    subject: 'Eingangsbestätigung',
    answers: message.osciMessageId,
    // What arrived, hashed after decryption, not what the sender says it sent.
    files: message.attachments.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
  }
  const wait = mood === 'late' ? (delayMs ?? 0) : 0
  return {
    order: { mailbox, addressee: sender, letter: confirmation, attachments: [] },
    due: new Date(deps.clock().getTime() + wait),
  }
}
