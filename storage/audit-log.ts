/**
 * Audit log: evidence of every act, chained so that changes show. Spec: FORMAT.md, part "Audit log".
 *
 * One row holds the newest place; it changes in the transaction that adds the entry, so two transactions cannot both
 * follow the same entry. See audit-verify.ts for the walk along the chain.
 */
import type { Selectable } from 'kysely'
import { sql } from 'kysely'

import type { Actor } from './actor.ts'
import { CHAIN_START, chainValue, entryMac, headSeal } from './audit-chain.ts'
import type { EntryContent } from './audit-chain.ts'
import { verifyAudit } from './audit-verify.ts'
import type { AuditVerdict } from './audit-verify.ts'
import { StorageError } from './errors.ts'
import { insertRow, keptStatement } from './metadata/kept-statement.ts'
import type { Db } from './metadata/schema.ts'
import type { AuditEntryTable } from './metadata/tables/work.ts'
import { pageLimit, toPage } from './page.ts'
import type { Page, PageRequest } from './page.ts'
import type { World } from './world.ts'

export type { AuditVerdict } from './audit-verify.ts'

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
  list(page?: PageRequest & { subject?: string }): Promise<Page<AuditEntry>>
}

/** The newest place as far as this process knows; only ever a guess that the row confirms. */
export interface AuditLog {
  append(db: Db, entry: NewAuditEntry): Promise<void>
  verify(db: Db): Promise<AuditVerdict>
  list(db: Db, page: PageRequest & { subject?: string }): Promise<Page<AuditEntry>>
}

interface Head {
  seq: number
  chain: Buffer
}

/** @param hmacKey gives the log's key, e.g. from the key ring */
export function createAuditLog(hmacKey: (db: Db) => Promise<Buffer>, clock: World['clock']): AuditLog {
  let guess: Head = { seq: 0, chain: CHAIN_START }
  return {
    append: async (db, entry) => {
      const key = await hmacKey(db)
      const content = toContent(entry, clock())
      guess = await appendEntry({ db, key, guess }, content)
    },
    verify: async (db) => verifyAudit(db, await hmacKey(db)),
    list: listEntries,
  }
}

/** Writes the head and the first entry of a new installation, in the transaction that makes its system key. */
export async function beginAudit(db: Db, key: Buffer, now: Date): Promise<void> {
  const head = { seq: 0, chain: CHAIN_START }
  await db
    .insertInto('audit_head')
    .values({ id: 1, ...head, seal: headSeal(key, head.seq, head.chain) })
    .execute()
  const first: NewAuditEntry = { action: 'audit.begun', subject: null, by: { kind: 'system', name: 'storage' } }
  await appendEntry({ db, key, guess: head }, toContent(first, now))
}

async function appendEntry(log: { db: Db; key: Buffer; guess: Head }, content: EntryContent): Promise<Head> {
  const { db, key, guess } = log
  const mac = entryMac(key, content)
  const next = (await tryMove(db, key, guess, mac)) ?? (await moveLocked(db, key, mac))
  await insertRow(db, 'audit_entry', { seq: next.seq, ...content, mac, chain: next.chain })
  return next
}

type Move = [seq: number, chain: Buffer, seal: Buffer, oldSeq: number, oldChain: Buffer]

const moveHead = keptStatement((db, ...[seq, chain, seal, oldSeq, oldChain]: Move) =>
  db
    .updateTable('audit_head')
    .set({ seq, chain, seal })
    .where('id', '=', sql.lit(1))
    .where('seq', '=', oldSeq)
    .where('chain', '=', oldChain),
)

/** Moves the head on when it stands where this process believes: the usual case, one statement. */
async function tryMove(db: Db, key: Buffer, from: Head, mac: Buffer): Promise<Head | null> {
  const next = following(key, from, mac)
  const seal = headSeal(key, next.seq, next.chain)
  const { numAffectedRows } = await moveHead(db, next.seq, next.chain, seal, from.seq, from.chain)
  return numAffectedRows === 1n ? next : null
}

/** Locks the head first (PostgreSQL waits here for the other transaction), then moves it on. */
async function moveLocked(db: Db, key: Buffer, mac: Buffer): Promise<Head> {
  const head = await db
    .updateTable('audit_head')
    .set({ seq: sql`seq` })
    .where('id', '=', 1)
    .returning(['seq', 'chain'])
    .executeTakeFirst()
  const next = head === undefined ? null : await tryMove(db, key, head, mac)
  if (next === null) throw new StorageError('storage/audit-broken', 'the head of the audit log is gone')
  return next
}

function following(key: Buffer, from: Head, mac: Buffer): Head {
  const seq = from.seq + 1
  return { seq, chain: chainValue(key, seq, from.chain, mac) }
}

function toContent(entry: NewAuditEntry, now: Date): EntryContent {
  const { action, subject, by, detail } = entry
  return {
    at: now.getTime(),
    actor_kind: by.kind,
    actor: by.kind === 'user' ? by.id : by.name,
    action,
    subject,
    detail: JSON.stringify(detail ?? {}),
  }
}

async function listEntries(db: Db, page: PageRequest & { subject?: string }): Promise<Page<AuditEntry>> {
  const limit = pageLimit(page)
  let query = db
    .selectFrom('audit_entry')
    .select(['seq', 'at', 'actor_kind', 'actor', 'action', 'subject', 'detail'])
    .where('seq', '>', afterSeq(page.after))
  if (page.subject !== undefined) query = query.where('subject', '=', page.subject)
  const rows = await query
    .orderBy('seq')
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, toEntry, (row) => String(row.seq))
}

function afterSeq(after: string | null | undefined): number {
  if (after === undefined || after === null) return 0
  if (!/^\d{1,15}$/.test(after)) throw new StorageError('storage/bad-value', 'not a place in the audit log')
  return Number(after)
}

function toEntry(row: Omit<Selectable<AuditEntryTable>, 'mac' | 'chain'>): AuditEntry {
  return {
    seq: row.seq,
    at: new Date(row.at),
    action: row.action,
    subject: row.subject,
    actor: { kind: row.actor_kind, name: row.actor },
    detail: JSON.parse(row.detail) as AuditDetail,
  }
}
