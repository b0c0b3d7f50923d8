/** Chance that can be repeated. */

/** A whole number from 0 up to, not including, `below`. */
export type Roll = (below: number) => number

/** mulberry32: the same numbers for the same seed. */
export function dice(seed: number): Roll {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
