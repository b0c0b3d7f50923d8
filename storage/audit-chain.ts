/**
 * The chain of the audit log: three HMAC-SHA-256 values. Spec: FORMAT.md, part "Audit log". Pure.
 *
 * `mac` vouches for an entry's content without its place, `chain` for its place after everything before it, `seal` for
 * which entry is the newest. So an altered entry is told apart from a misplaced one, and a head that was set back from the
 * head that was written.
 */
import { createHmac } from 'node:crypto'

import type { AuditEntryTable } from './metadata/tables/work.ts'

/** What an entry says, as stored. */
export type EntryContent = Pick<AuditEntryTable, 'at' | 'actor_kind' | 'actor' | 'action' | 'subject' | 'detail'>

/** Chain value before the first entry. */
export const CHAIN_START = Buffer.alloc(32)

/** HMAC over the JSON array [at, actor kind, actor, action, subject, detail]. */
export function entryMac(key: Buffer, entry: EntryContent): Buffer {
  const { at, actor_kind, actor, action, subject, detail } = entry
  const content = JSON.stringify([at, actor_kind, actor, action, subject, detail])
  return createHmac('sha256', key).update('entry\0').update(content).digest()
}

/** HMAC over place, chain value before, and mac. */
export function chainValue(key: Buffer, seq: number, before: Buffer, mac: Buffer): Buffer {
  return createHmac('sha256', key).update('chain\0').update(eightBytes(seq)).update(before).update(mac).digest()
}

/** HMAC over the newest place and its chain value. */
export function headSeal(key: Buffer, seq: number, chain: Buffer): Buffer {
  return createHmac('sha256', key).update('head\0').update(eightBytes(seq)).update(chain).digest()
}

/** Unsigned, big-endian. */
function eightBytes(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
