/**
 * Audit log: evidence of every act, chained so that changes show. Spec: FORMAT.md, part "Audit log".
 */
import type { Actor } from './actor.ts'
import type { Page, PageRequest } from './page.ts'

/** What is known about an act: ids, levels, sizes, hashes. Never names of files or people, never secrets. */
export type AuditDetail = Record<string, string | number | boolean | null>

export interface NewAuditEntry {
  /** noun.verb, e.g. "room.created" */
  action: string
  /** id of what it is about; null = the installation */
  subject: string | null
  by: Actor
  detail?: AuditDetail
}

export interface AuditEntry {
  seq: number
  at: Date
  action: string
  subject: string | null
  actor: { kind: Actor['kind']; name: string }
  detail: AuditDetail
}

export type AuditVerdict =
  | { kind: 'whole'; entries: number; head: string }
  /** `seq` is the first place at which the log is not what was written */
  | { kind: 'broken'; seq: number; reason: 'altered' | 'missing' | 'reordered' | 'cut-off' }

export interface Audit {
  /**
   * Adds an entry in the caller's transaction (or one of its own).
   *
   * @throws StorageError `storage/audit-broken` the head row is gone: nothing may happen without evidence
   */
  append(entry: NewAuditEntry): Promise<void>
  /** Walks the chain from the first entry to the head, page by page; constant memory. */
  verify(): Promise<AuditVerdict>
  /** Oldest first; `after` is a seq. */
  list(page: PageRequest & { subject?: string }): Promise<Page<AuditEntry>>
}
