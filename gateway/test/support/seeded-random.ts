/** Numbers that look random and can be had again: the seed is printed, AMTSBOTE_SEED sets it. */
import { randomInt } from 'node:crypto'

export function seededRandom(): { seed: number; random: () => number } {
  const seed = Number(process.env['AMTSBOTE_SEED'] ?? randomInt(2 ** 31))
  let state = seed
  // mulberry32
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  return { seed, random }
}
