/** When a failed job is tried again. Pure. */

/** 10 s, doubled by each failure, at most an hour. */
const FIRST_MS = 10_000
const LONGEST_MS = 3_600_000

/** A one-off job is given up after so many failures in a row: about four days. Standing jobs never are. */
const GIVE_UP_AFTER = 100

/**
 * The time of the next try, or null when the job is to be given up and shown to an operator.
 *
 * @param failures in a row, this one included; at least 1
 */
export function nextTry(failures: number, standing: boolean, now: Date): Date | null {
  if (failures >= GIVE_UP_AFTER && !standing) return null
  return new Date(now.getTime() + Math.min(FIRST_MS * 2 ** Math.min(failures - 1, 20), LONGEST_MS))
}
