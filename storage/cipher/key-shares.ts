/**
 * Shares of a secret: any k of n restore it, fewer say nothing (Shamir's scheme over GF(2^8), one polynomial a byte).
 * Format: FORMAT.md, part "Key backup". Each share names its set, so that a mix of two backups is noticed.
 */
import { createHash } from 'node:crypto'

import { combine, split } from 'shamir-secret-sharing'

import { StorageError } from '../errors.ts'
import type { Random } from '../world.ts'

const FORMAT = 'amtsbote-key-share/1'
const DIGEST_BYTES = 32

interface Share {
  /** the same for all shares of one backup, 16 hex digits */
  set: string
  threshold: number
  shares: number
  /** from 1 */
  number: number
  /** base64 */
  share: string
}

/** @throws StorageError `storage/bad-value` outside of 2 <= threshold <= shares <= 255 */
export async function splitIntoShares(
  secret: Buffer,
  { shares, threshold }: { shares: number; threshold: number },
  random: Random,
): Promise<string[]> {
  const sound = Number.isInteger(shares) && Number.isInteger(threshold) && threshold >= 2 && threshold <= shares
  if (!sound || shares > 255) throw new StorageError('storage/bad-value', 'shares: 2 <= needed <= made <= 255')
  const set = random(8).toString('hex')
  // The package refuses a Buffer, which is a Uint8Array by another constructor.
  const parts = await split(Uint8Array.from([...secret, ...digest(secret)]), shares, threshold)
  return parts.map((part, index) => {
    const share = { set, threshold, shares, number: index + 1, share: Buffer.from(part).toString('base64') }
    return `${JSON.stringify({ format: FORMAT, ...share, check: checkOf(share) })}\n`
  })
}

/** @throws StorageError `storage/backup-damaged`, `storage/backup-too-few-shares` */
export async function combineShares(texts: readonly string[]): Promise<Buffer> {
  const shares = new Map(texts.map(parseShare).map((share) => [share.number, share]))
  const [first] = [...shares.values()]
  if (first === undefined) throw tooFew(0, 2)
  for (const share of shares.values()) {
    if (share.set !== first.set) throw new StorageError('storage/backup-damaged', 'shares of different backups')
  }
  if (shares.size < first.threshold) throw tooFew(shares.size, first.threshold)
  const parts = [...shares.values()].map((share) => new Uint8Array(Buffer.from(share.share, 'base64')))
  return verified(await combineParts(parts))
}

export function isShare(text: string): boolean {
  return text.includes(`"${FORMAT}"`)
}

async function combineParts(parts: Uint8Array[]): Promise<Buffer> {
  try {
    return Buffer.from(await combine(parts))
  } catch (error) {
    throw new StorageError('storage/backup-damaged', 'the shares do not fit together', error)
  }
}

/** The secret carries its SHA-256: shares that fit together by chance only are noticed. */
function verified(joined: Buffer): Buffer {
  const end = Math.max(0, joined.length - DIGEST_BYTES)
  const secret = joined.subarray(0, end)
  if (digest(secret).equals(joined.subarray(end))) return secret
  throw new StorageError('storage/backup-damaged', 'the shares do not restore what was backed up')
}

function parseShare(text: string, index: number): Share {
  const value = readJson(text)
  const { set, threshold, shares, number, share, check } = value
  const sound =
    typeof set === 'string' && typeof share === 'string' && [threshold, shares, number].every(Number.isInteger)
  if (sound) {
    const read = { set, threshold: Number(threshold), shares: Number(shares), number: Number(number), share }
    if (value['format'] === FORMAT && checkOf(read) === check) return read
  }
  throw new StorageError('storage/backup-damaged', `the share given as number ${index + 1} was altered or is not one`)
}

function readJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** First 8 bytes of SHA-256 over the share's fields joined by colons, hex: finds slips of the pen. */
function checkOf({ set, threshold, shares, number, share }: Share): string {
  return digest(Buffer.from([set, threshold, shares, number, share].join(':'), 'utf8'))
    .toString('hex')
    .slice(0, 16)
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function tooFew(given: number, needed: number): StorageError {
  return new StorageError('storage/backup-too-few-shares', `${given} different shares given, ${needed} needed`)
}
