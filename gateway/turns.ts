/**
 * How much of one kind one person has under way at once: so much is taken, the rest waits for its turn.
 *
 * A body on its way holds memory for a part of its file, however slowly it comes, and a validation holds a thread; the
 * process has so much of both and no more. Without a bound one person keeps everybody else waiting. Kept in this process,
 * as memory and threads are.
 */
import { GatewayError } from './errors.ts'

export interface Turns {
  /**
   * Runs `work` when fewer than the bound of this person are under way.
   *
   * @param leave ends the wait
   * @throws GatewayError `gateway/upload-displaced` on `leave`, before `work` began
   */
  during<T>(person: string, leave: AbortSignal | null, work: () => Promise<T>): Promise<T>
}

/** An eighth of the bodies that have memory at once (`storage.uploads.bodiesAtOnce`): it takes eight people to fill it. */
export function filesAtOnce(bodiesAtOnce: number): number {
  return Math.max(1, Math.floor(bodiesAtOnce / 8))
}

/** Half of the threads that validate (cli/signatures.ts). */
export const VALIDATIONS_AT_ONCE = 1

export function createTurns(atOnce: number): Turns {
  const people = new Map<string, { running: number; waiting: (() => void)[] }>()

  async function enter(person: string, leave: AbortSignal | null): Promise<void> {
    const theirs = people.get(person) ?? { running: 0, waiting: [] }
    people.set(person, theirs)
    if (theirs.running < atOnce) {
      theirs.running += 1
      return
    }
    await new Promise<void>((resolve, reject) => {
      const begin = () => {
        leave?.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = () => {
        theirs.waiting.splice(theirs.waiting.indexOf(begin), 1)
        reject(new GatewayError('gateway/upload-displaced'))
      }
      theirs.waiting.push(begin)
      leave?.addEventListener('abort', giveUp, { once: true })
      if (leave?.aborted === true) giveUp()
    })
  }

  function exit(person: string): void {
    const theirs = people.get(person)
    // The place is handed over, so `running` stays as it is.
    const next = theirs?.waiting.shift()
    if (next) next()
    else if (theirs && (theirs.running -= 1) === 0) people.delete(person)
  }

  return {
    during: async (person, leave, work) => {
      await enter(person, leave)
      try {
        return await work()
      } finally {
        exit(person)
      }
    },
  }
}
