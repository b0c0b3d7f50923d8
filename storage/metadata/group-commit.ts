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
/** How long those that are ready wait for those that are coming: about as long as the flush takes that it saves. */
const GATHER_MS = 10

const SAVEPOINT = CompiledQuery.raw('savepoint member')
const RELEASE = CompiledQuery.raw('release member')
const ROLLBACK_TO = CompiledQuery.raw('rollback to member')

interface Member {
  run(db: Db): Promise<void>
  /** after the commit */
  answer(): void
  fail(error: unknown): void
}

export interface GroupCommit {
  /** Runs `work` as if in a transaction of its own. */
  run: <T>(work: (db: Db) => Promise<T>) => Promise<T>
  /**
   * Says that a transaction is about to come: what is ready before it waits for it, a few milliseconds at most.
   *
   * @returns to be called right before it comes, or when it will not
   */
  announce: () => () => void
}

/**
 * @param commit runs its argument in a transaction: commits when it resolves
 * @param waits how long one waits for those before it, and for those that were announced, in ms
 */
export function createGroupCommit(
  commit: (work: (db: Db) => Promise<void>) => Promise<void>,
  waits: { patienceMs?: number; gatherMs?: number } = {},
): GroupCommit {
  const { patienceMs = PATIENCE_MS, gatherMs = GATHER_MS } = waits
  const waiting: Member[] = []
  const announced = new Announced()
  let busy = false

  async function drain(): Promise<void> {
    busy = true
    // Whoever comes in the same turn of the event loop comes along.
    await nextTurn()
    while (waiting.length > 0) {
      await announced.come(gatherMs)
      await runGroup(commit, waiting.splice(0, MAX_GROUP))
    }
    busy = false
  }

  const run = <T>(work: (db: Db) => Promise<T>) =>
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
  return { run, announce: () => announced.add() }
}

/** Transactions that are about to come. */
class Announced {
  readonly #coming = new Set<symbol>()
  #changed: (() => void) | null = null

  add(): () => void {
    const mark = Symbol('announced')
    this.#coming.add(mark)
    return () => {
      if (this.#coming.delete(mark)) this.#changed?.()
    }
  }

  /** Resolves when all that are announced by now have come, or after `withinMs`. One caller at a time. */
  async come(withinMs: number): Promise<void> {
    if (this.#coming.size === 0) return
    const expected = [...this.#coming]
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.#changed = () => {
        if (expected.some((mark) => this.#coming.has(mark))) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#changed = null
    await nextTurn()
  }
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
