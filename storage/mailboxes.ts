/** Mailboxes (Postfächer) of ours: address, certificates, and a key scope each. */
import type { Actor } from './actor.ts'
import type { MailboxId, UnitId } from './ids.ts'
import type { Page, PageRequest } from './page.ts'

export interface Mailbox {
  id: MailboxId
  name: string
  unitId: UnitId | null
  /** address by which the transport knows it */
  address: string
  /** DER */
  cipherCertificate: Buffer
  /** DER */
  signatureCertificate: Buffer
  createdAt: Date
}

export interface NewMailbox {
  name: string
  unitId?: UnitId | null
  address: string
  cipherCertificate: Buffer
  signatureCertificate: Buffer
}

export interface Mailboxes {
  /** Makes the mailbox and its key. @throws StorageError `storage/already-exists` the name is taken */
  create(mailbox: NewMailbox, by: Actor): Promise<Mailbox>
  byId(id: MailboxId): Promise<Mailbox>
  byName(name: string): Promise<Mailbox | null>
  list(page?: PageRequest): Promise<Page<Mailbox>>
  change(id: MailboxId, patch: Partial<NewMailbox>, by: Actor): Promise<Mailbox>
}
