/** Mailboxes (Postfächer): our own and those of partners we write to; address, certificates, and a key scope each. */
import type { Actor } from './actor.ts'
import type { MailboxId, UnitId } from './ids.ts'
import type { Page, PageRequest } from './page.ts'

/** own = its keys are here; partner = somebody we write to; practice-court = own, and answers by itself */
export type MailboxKind = 'own' | 'partner' | 'practice-court'

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
  kind: MailboxKind
  /** name of the intermediary in the configuration; 'embedded' = the one of this server */
  intermediary: string
  /** name of the opened keys; null = a partner */
  keyName: string | null
  createdAt: Date
}

export interface NewMailbox {
  name: string
  unitId?: UnitId | null
  address: string
  cipherCertificate: Buffer
  signatureCertificate: Buffer
  /** default own */
  kind?: MailboxKind
  /** default embedded */
  intermediary?: string
  keyName?: string | null
}

export interface Mailboxes {
  /** Makes the mailbox and its key. @throws StorageError `storage/already-exists` the name is taken */
  create(mailbox: NewMailbox, by: Actor): Promise<Mailbox>
  byId(id: MailboxId): Promise<Mailbox>
  byName(name: string): Promise<Mailbox | null>
  byAddress(address: string): Promise<Mailbox | null>
  /** The mailbox with this cipher or signature certificate (DER). */
  byCertificate(certificate: Buffer): Promise<Mailbox | null>
  list(page?: PageRequest): Promise<Page<Mailbox>>
  change(id: MailboxId, patch: Partial<NewMailbox>, by: Actor): Promise<Mailbox>
}
