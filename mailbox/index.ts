/** The face of the mailbox: OSCI, the embedded intermediary, durable relay. */
export { MailboxError } from './errors.ts'
export type { MailboxErrorCode } from './errors.ts'
