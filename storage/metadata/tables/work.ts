/** Rows about evidence and settings. Times are ms since epoch, UTC. */
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
