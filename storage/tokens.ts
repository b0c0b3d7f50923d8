/** Secrets handed out once and kept only as their SHA-256: session tokens, invitation links. */
import { createHash, timingSafeEqual } from 'node:crypto'

import type { Random } from './world.ts'

const TOKEN_BYTES = 32

/** 32 random bytes as base64url (43 characters). */
export function newToken(random: Random): string {
  return random(TOKEN_BYTES).toString('base64url')
}

/** What is stored of a token: with 256 bits of chance a plain hash cannot be guessed backwards. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex')
}

/** Compares two hex texts of digests without telling where they differ. */
export function sameDigest(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, 'hex'), Buffer.from(b, 'hex')]
  return left.length === right.length && timingSafeEqual(left, right)
}
