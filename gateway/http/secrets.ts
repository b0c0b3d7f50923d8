/** Comparing secrets in constant time, whatever their lengths. */
import { createHash, timingSafeEqual } from 'node:crypto'

/** True when both texts are the same and not empty; the time taken depends only on their lengths. */
export function equalSecrets(given: string, expected: string): boolean {
  if (given === '' || expected === '') return false
  return timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(expected).digest())
}
