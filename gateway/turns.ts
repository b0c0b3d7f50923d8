/**
 * How many files one person sends at once: so many are taken, the others wait for their turn.
 *
 * A body on its way holds memory for a part of its file, however slowly it comes, and the process has so much of that and
 * no more. Without a bound a few connections of one person that dribble keep everybody else from sending. Kept in this
 * process, as the memory is.
 */
import { GatewayError } from './errors.ts'

export interface Turns {
  /**
   * Runs `work` when fewer than `FILES_AT_ONCE` of this person are under way.
   *
   * @param leave ends the wait
   * @throws GatewayError `gateway/upload-displaced` on `leave`, before `work` began
   */
  during<T>(person: string, leave: AbortSignal | null, work: () => Promise<T>): Promise<T>
}

/** Half of what the memory for parts holds over S3 (storage/bytes.ts). */
const FILES_AT_ONCE = 4

export function createTurns(): Turns {
  const people = new Map<string, { running: number; waiting: (() => void)[] }>()

  async function enter(person: string, leave: AbortSignal | null): Promise<void> {
    const theirs = people.get(person) ?? { running: 0, waiting: [] }
    people.set(person, theirs)
    if (theirs.running < FILES_AT_ONCE) {
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
