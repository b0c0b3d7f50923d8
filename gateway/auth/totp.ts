/**
 * One-time codes of an authenticator app (RFC 6238). Parameters: policies `TOTP`.
 *
 * The code of the step before is good for the first 5 s of the new one. Whether a step was used before is decided by
 * the store in one statement, because two requests may bring the same code at the same time.
 */
import { generateURI, verify } from 'otplib'
import qrcode from 'qrcode'
import { TOTP } from '../../policies/index.ts'
import type { CodeVerdict } from './login.ts'

/** How far a phone's clock is looked after, for the message only: such a code is never accepted. */
const CLOCK_HINT_SECONDS = 300

export type CodeCheck = { kind: 'right'; step: number } | { kind: Exclude<CodeVerdict, 'right' | 'reused'> }

/** Checks a code at `now`; anything but six digits is simply wrong. */
export async function checkCode(secret: string, code: string, now: Date): Promise<CodeCheck> {
  const token = code.replace(/\s/g, '')
  if (!/^\d{6}$/.test(token)) return { kind: 'wrong' }
  const epoch = Math.floor(now.getTime() / 1000)
  const common = { secret, token, epoch, digits: TOTP.digits, period: TOTP.periodSeconds, algorithm: TOTP.algorithm }
  const strict = await verify({ ...common, epochTolerance: [...TOTP.toleranceSeconds] })
  if (strict.valid && 'timeStep' in strict) return { kind: 'right', step: strict.timeStep }
  const loose = await verify({ ...common, epochTolerance: CLOCK_HINT_SECONDS })
  return { kind: loose.valid ? 'clock' : 'wrong' }
}

/** The address that a QR code carries into the app. */
export function enrolmentUri(secret: string, account: string, issuer: string): string {
  return generateURI({ issuer, label: account, secret, digits: TOTP.digits, period: TOTP.periodSeconds })
}

/** The QR code as an SVG element without style or script. */
export async function qrPicture(uri: string): Promise<string> {
  return qrcode.toString(uri, { type: 'svg', errorCorrectionLevel: 'M', margin: 4 })
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Base32 without padding (RFC 4648 §6), as authenticator apps take it. */
export function base32(bytes: Buffer): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map((group) => BASE32[parseInt(group.padEnd(5, '0'), 2)]).join('')
}
