/**
 * Several transactions, one flush: what waits for the one connection of SQLite runs in one transaction, each in a
 * savepoint of its own, and is answered together once that has committed.
 *
 * Nobody sees a difference: each still runs alone, and is kept whole or not at all. But the disk is asked to flush once
 * for all of them, and flushing is what a small transaction costs.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

import { CompiledQuery } from 'kysely'

import { unavailable } from './faults.ts'
import type { Db } from './schema.ts'

const MAX_GROUP = 32
const PATIENCE_MS = 10_000

const SAVEPOINT = CompiledQuery.raw('savepoint member')
const RELEASE = CompiledQuery.raw('release member')
const ROLLBACK_TO = CompiledQuery.raw('rollback to member')

interface Member {
  /** its turn has come */
  begin(): void
  run(db: Db): Promise<void>
  /** after the commit */
  answer(): void
  fail(error: unknown): void
}

export interface GroupCommit {
  /** Runs `work` as if in a transaction of its own. */
  run: <T>(work: (db: Db) => Promise<T>) => Promise<T>
}

/**
 * @param commit runs its argument in a transaction: commits when it resolves
 * @param settled resolves when what is committed is on the disk; the next group does not wait for it
 * @param patienceMs how long one waits for those before it
 */
export function createGroupCommit(
  commit: (work: (db: Db) => Promise<void>) => Promise<void>,
  settled: () => Promise<void>,
  patienceMs = PATIENCE_MS,
): GroupCommit {
  const waiting: Member[] = []
  let busy = false

  async function drain(): Promise<void> {
    busy = true
    // Whoever comes in the same turn of the event loop comes along.
    await nextTurn()
    while (waiting.length > 0) {
      const group = waiting.splice(0, MAX_GROUP)
      for (const member of group) member.begin()
      const kept = await runGroup(commit, group)
      void answerWhenSettled(settled, kept)
    }
    busy = false
  }

  const run = <T>(work: (db: Db) => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      let result: { value: T } | null = null
      let patience: NodeJS.Timeout | undefined
      const member: Member = {
        // A timer that went on would keep all that `work` knows, such as the bytes of an upload.
        begin: () => {
          clearTimeout(patience)
        },
        run: async (db) => {
          result = { value: await work(db) }
        },
        answer: () => {
          if (result !== null) resolve(result.value)
        },
        fail: reject,
      }
      waiting.push(member)
      if (busy) patience = giveUpLater(waiting, member, patienceMs)
      else void drain()
    })
  return { run }
}

/** A transaction that begins another one waits for itself: an error then, not a wait without end. */
function giveUpLater(waiting: Member[], member: Member, patienceMs: number): NodeJS.Timeout {
  const timer = setTimeout(() => {
    const index = waiting.indexOf(member)
    if (index < 0) return
    waiting.splice(index, 1)
    member.fail(unavailable(new Error('waited too long for a transaction: was it begun inside of another one?')))
  }, patienceMs)
  return timer.unref()
}

async function answerWhenSettled(settled: () => Promise<void>, members: readonly Member[]): Promise<void> {
  try {
    await settled()
  } catch (error) {
    for (const member of members) member.fail(error)
    return
  }
  for (const member of members) member.answer()
}

/** @returns the members that are committed; the others have been told why not */
async function runGroup(
  commit: (work: (db: Db) => Promise<void>) => Promise<void>,
  group: Member[],
): Promise<readonly Member[]> {
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
    return []
  }
  return group.length === 1 ? group : kept
}

/** Where the whole transaction is gone already (a full disk), the group fails for the same reason. */
async function undo(db: Db, reason: unknown): Promise<void> {
  try {
    await db.executeQuery(ROLLBACK_TO)
  } catch {
    throw reason
  }
}

/** @returns the members that went well; the others are told their own error at once */
async function runInSavepoints(db: Db, group: Member[]): Promise<Member[]> {
  const kept: Member[] = []
  for (const member of group) {
    await db.executeQuery(SAVEPOINT)
    try {
      await member.run(db)
      kept.push(member)
    } catch (error) {
      member.fail(error)
      await undo(db, error)
    }
    await db.executeQuery(RELEASE)
  }
  return kept
}
