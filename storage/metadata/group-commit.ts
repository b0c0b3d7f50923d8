/**
 * Several transactions, one flush: what waits for the one connection of SQLite runs in one transaction, each in a
 * savepoint of its own, and is answered together once that has committed.
 *
 * Nobody sees a difference: each still runs alone, and is kept whole or not at all. But the disk is asked to flush once
 * for all of them, and flushing is what a small transaction costs.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

import { sql } from 'kysely'

import { unavailable } from './faults.ts'
import type { Db } from './schema.ts'

const MAX_GROUP = 32
const PATIENCE_MS = 10_000

interface Member {
  run(db: Db): Promise<void>
  /** after the commit */
  answer(): void
  fail(error: unknown): void
}

/**
 * @param commit runs its argument in a transaction: commits when it resolves
 * @param patienceMs how long one waits for those before it
 * @returns runs `work` as if in a transaction of its own
 */
export function createGroupCommit(
  commit: (work: (db: Db) => Promise<void>) => Promise<void>,
  patienceMs = PATIENCE_MS,
): <T>(work: (db: Db) => Promise<T>) => Promise<T> {
  const waiting: Member[] = []
  let busy = false

  async function drain(): Promise<void> {
    busy = true
    // Whoever comes in the same turn of the event loop comes along.
    await nextTurn()
    for (let group = waiting.splice(0, MAX_GROUP); group.length > 0; group = waiting.splice(0, MAX_GROUP)) {
      await runGroup(commit, group)
    }
    busy = false
  }

  return <T>(work: (db: Db) => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      let result: { value: T } | null = null
      const member: Member = {
        run: async (db) => {
          result = { value: await work(db) }
        },
        answer: () => {
          if (result !== null) resolve(result.value)
        },
        fail: reject,
      }
      waiting.push(member)
      if (busy) giveUpLater(waiting, member, patienceMs)
      else void drain()
    })
}

/** A transaction that begins another one waits for itself: an error then, not a wait without end. */
function giveUpLater(waiting: Member[], member: Member, patienceMs: number): void {
  const timer = setTimeout(() => {
    const index = waiting.indexOf(member)
    if (index < 0) return
    waiting.splice(index, 1)
    member.fail(unavailable(new Error('waited too long for a transaction: was it begun inside of another one?')))
  }, patienceMs)
  timer.unref()
}

async function runGroup(commit: (work: (db: Db) => Promise<void>) => Promise<void>, group: Member[]): Promise<void> {
  const [only] = group
  let kept: Member[] = []
  try {
    await commit(async (db) => {
      // Alone, a member needs no savepoint: the transaction is its own.
      if (group.length === 1 && only !== undefined) await only.run(db)
      else kept = await runInSavepoints(db, group)
    })
  } catch (error) {
    for (const member of group) member.fail(error)
    return
  }
  for (const member of group.length === 1 ? group : kept) member.answer()
}

/** Where the whole transaction is gone already (a full disk), the group fails for the same reason. */
async function undo(db: Db, reason: unknown): Promise<void> {
  try {
    await sql`rollback to member`.execute(db)
  } catch {
    throw reason
  }
}

/** @returns the members that went well; the others are told their own error at once */
async function runInSavepoints(db: Db, group: Member[]): Promise<Member[]> {
  const kept: Member[] = []
  for (const member of group) {
    await sql`savepoint member`.execute(db)
    try {
      await member.run(db)
      kept.push(member)
    } catch (error) {
      member.fail(error)
      await undo(db, error)
    }
    await sql`release member`.execute(db)
  }
  return kept
}
