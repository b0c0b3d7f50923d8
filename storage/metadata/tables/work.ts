/** Rows about work to do, evidence and settings. Times are ms since epoch, UTC. */
import type { JobId } from '../../ids.ts'

/** The transactional outbox: what is to be done, when, and how often it was tried. */
export interface JobTable {
  id: JobId
  kind: string
  /** id of what it is about; '' for standing jobs */
  subject: string
  /** small JSON for the handler */
  payload: string
  /** whom it talks to, for rate and concurrency; null = nobody */
  partner: string | null
  /** ready = due decides; held = put aside by an operator; failed = given up */
  state: 'ready' | 'held' | 'failed'
  /** next time to run; a claim moves it ahead by the lease */
  due: number
  /** claims so far: the fencing token */
  attempts: number
  /** code of the last failure; null = none */
  last_error: string | null
  created_at: number
}

/** One entry of the audit log; FORMAT.md, part "Audit log". Never changed, never deleted. */
export interface AuditEntryTable {
  /** from 1, without gaps */
  seq: number
  at: number
  actor_kind: 'user' | 'operator' | 'system'
  /** user id, or name of operator or part */
  actor: string
  /** noun.verb, e.g. room.created */
  action: string
  /** id of what it is about; null = the installation */
  subject: string | null
  /** JSON object: ids, levels, sizes, hashes; nothing personal */
  detail: string
  /** HMAC-SHA-256 of this entry's own fields, without its place */
  mac: Buffer
  /** HMAC-SHA-256 over seq, the chain value before, and mac */
  chain: Buffer
}

/** The newest place of the audit log; exactly one row once the installation has its system key. */
export interface AuditHeadTable {
  /** always 1 */
  id: number
  /** newest entry's seq */
  seq: number
  /** newest entry's chain value */
  chain: Buffer
  /** HMAC-SHA-256 over both, so that cutting off and copying the entry before shows */
  seal: Buffer
}

/** Small facts of the installation. */
export interface SettingTable {
  key: string
  /** JSON */
  value: string
}

/** Which migrations ran. The program refuses a database whose highest version it does not know. */
export interface SchemaVersionTable {
  version: number
  applied_at: number
}
