/** Adapter: wake-ups by timers of this process. Enough for one `serve`; others on the same database look once a minute. */
import type { World } from '../world.ts'
import { codeOf } from './fault-code.ts'
import type { JobQueue } from './queue.ts'

/** Above this many timers a wake-up is left to the worker's own look. */
const MOST_TIMERS = 1_000
/** Longest delay that a timer takes, ms. */
const LONGEST_MS = 2 ** 31 - 1

export function inProcessQueue({ clock, log }: Pick<World, 'clock' | 'log'>): JobQueue {
  const timers = new Map<string, NodeJS.Timeout>()
  let onWake: (() => Promise<void>) | null = null
  let passing = Promise.resolve()
  let isWaiting = false

  /** One wake-up is under way and at most one waits behind it: that one sees all that is due by then. */
  function pass(): void {
    if (isWaiting) return
    isWaiting = true
    passing = passing.then(passNow).catch((error: unknown) => {
      log.warn({ code: codeOf(error) }, 'a wake-up failed')
    })
  }

  async function passNow(): Promise<void> {
    isWaiting = false
    await onWake?.()
  }

  return {
    wake(jobId, at) {
      const delayMs = at.getTime() - clock().getTime()
      if (onWake === null || Number.isNaN(delayMs) || delayMs > LONGEST_MS) return
      clearTimeout(timers.get(jobId))
      if (timers.size >= MOST_TIMERS && !timers.has(jobId)) return
      const timer = setTimeout(
        () => {
          timers.delete(jobId)
          pass()
        },
        Math.max(0, delayMs),
      )
      timer.unref()
      timers.set(jobId, timer)
    },
    start(listener) {
      onWake = listener
      return Promise.resolve()
    },
    stop() {
      onWake = null
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
      return Promise.resolve()
    },
  }
}
