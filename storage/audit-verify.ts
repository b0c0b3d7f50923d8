/**
 * Walks the audit log from its first entry to its head and names the first place at which it is not what was written.
 *
 * Needs the log's key, so it finds what somebody with write access to the database did, including the deletion of the
 * newest entries, of the head, or of everything. It does not find a database that was set back as a whole to an older
 * copy: only a copy of the head kept elsewhere shows that.
 */
import { CHAIN_START, chainValue, entryMac, headSeal } from './audit-chain.ts'
import type { EntryContent } from './audit-chain.ts'
import type { Db } from './metadata/schema.ts'

export type AuditVerdict =
  /** `head` = chain value of the newest entry, hex: worth keeping elsewhere */
  | { kind: 'whole'; entries: number; head: string }
  /** `seq` is the first place at which the log is not what was written */
  | { kind: 'broken'; seq: number; reason: BreakReason }

/**
 * - `altered`: content or HMAC of this entry was changed, or an entry was added by somebody without the key
 * - `missing`: no entry has this number, but later ones exist; or the head itself is gone
 * - `reordered`: a genuine entry, but not the one that belongs here
 * - `cut-off`: the log ends before this place, though the head says that there was more
 */
export type BreakReason = 'altered' | 'missing' | 'reordered' | 'cut-off'

interface Row extends EntryContent {
  seq: number
  mac: Buffer
  chain: Buffer
}

interface Walk {
  /** place of the last entry that was good */
  seq: number
  chain: Buffer
}

interface Head {
  seq: number
  chain: Buffer
  seal: Buffer
}

const PAGE = 500

export async function verifyAudit(db: Db, key: Buffer): Promise<AuditVerdict> {
  const head = await db.selectFrom('audit_head').select(['seq', 'chain', 'seal']).where('id', '=', 1).executeTakeFirst()
  let walk: Walk = { seq: 0, chain: CHAIN_START }
  for (let more = true; more;) {
    const rows = await readRows(db, walk.seq, PAGE + 1)
    for (const [index, row] of rows.slice(0, PAGE).entries()) {
      if (walk.seq === head?.seq) return judgeOverrun(db, key, { walk, head, row })
      const reason = faultOf(key, walk, row, rows[index + 1] ?? null)
      if (reason !== null) return { kind: 'broken', seq: walk.seq + 1, reason }
      walk = { seq: row.seq, chain: row.chain }
    }
    more = rows.length > PAGE
  }
  return judgeHead(key, walk, head)
}

/** An entry behind the head that was read at the start: committed since, or added by hand. */
async function judgeOverrun(db: Db, key: Buffer, found: { walk: Walk; head: Head; row: Row }): Promise<AuditVerdict> {
  const now = await db.selectFrom('audit_head').select('seq').where('id', '=', 1).executeTakeFirst()
  if (now !== undefined && now.seq >= found.row.seq) return judgeHead(key, found.walk, found.head)
  return { kind: 'broken', seq: found.row.seq, reason: 'altered' }
}

function faultOf(key: Buffer, walk: Walk, row: Row, next: Row | null): BreakReason | null {
  const place = walk.seq + 1
  if (row.seq !== place) return 'missing'
  if (!entryMac(key, row).equals(row.mac)) return 'altered'
  const expected = chainValue(key, place, walk.chain, row.mac)
  if (expected.equals(row.chain)) return null
  // The content is genuine. When the next entry follows from the value that should stand here, only that value was changed.
  const nextFollows = next !== null && chainValue(key, next.seq, expected, next.mac).equals(next.chain)
  return nextFollows ? 'altered' : 'reordered'
}

function judgeHead(key: Buffer, walk: Walk, head: Head | undefined): AuditVerdict {
  const after = walk.seq + 1
  // The head and the first entry are made together with the key that this walk needs: an empty log is never whole.
  if (head === undefined) return { kind: 'broken', seq: after, reason: 'missing' }
  if (!headSeal(key, head.seq, head.chain).equals(head.seal)) return { kind: 'broken', seq: after, reason: 'cut-off' }
  if (head.seq !== walk.seq) return { kind: 'broken', seq: after, reason: 'cut-off' }
  if (!head.chain.equals(walk.chain)) return { kind: 'broken', seq: walk.seq, reason: 'altered' }
  if (walk.seq === 0) return { kind: 'broken', seq: 1, reason: 'cut-off' }
  return { kind: 'whole', entries: walk.seq, head: walk.chain.toString('hex') }
}

async function readRows(db: Db, after: number, limit: number): Promise<Row[]> {
  return db
    .selectFrom('audit_entry')
    .select(['seq', 'at', 'actor_kind', 'actor', 'action', 'subject', 'detail', 'mac', 'chain'])
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute()
}
