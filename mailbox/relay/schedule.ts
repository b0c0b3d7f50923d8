/**
 * When the relay tries or looks again: pure functions of facts and now.
 */

const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 15 * 60_000
const FIRST_LOOK_MS = 2_000
const LONGEST_LOOK_MS = 60 * 60_000

/** When to try again after so many failures in a row: 5 s, doubling, at most 15 min; never after the deadline. */
export function nextTry(failures: number, deadline: Date | null, now: Date): Date {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20))
  const at = now.getTime() + Math.max(FIRST_PAUSE_MS, pause)
  return new Date(deadline && deadline > now ? Math.min(at, deadline.getTime()) : at)
}

/** When to look for Reception again: soon after acceptance, then ever more seldom (a quarter of the age), at most 1 h. */
export function nextLook(acceptedAt: Date, now: Date): Date {
  const age = now.getTime() - acceptedAt.getTime()
  return new Date(now.getTime() + Math.min(LONGEST_LOOK_MS, Math.max(FIRST_LOOK_MS, age / 4)))
}

/** Whether watching for Reception has lasted long enough: the delivery is with the intermediary, a person may look. */
export function watchedEnough(acceptedAt: Date, now: Date): boolean {
  return now.getTime() - acceptedAt.getTime() > 90 * 24 * 3_600_000
}
