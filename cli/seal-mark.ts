/** The visible mark of seals, as the configuration describes it. */
import { readFileSync } from 'node:fs'
import type { Config } from './config.ts'
import type { SealMark } from '../signing/index.ts'

/** Reads the logo once. Null: none is configured. */
export function sealMarkOf({ signatures: { mark } }: Config): ((signedAt: Date) => SealMark) | null {
  if (mark === undefined) return null
  const { lines, logoFile, page, corner, margin, width, height } = mark
  const logo = logoFile === undefined ? {} : { logo: readFileSync(logoFile) }
  const place = { corner, margin, width, height }
  return (signedAt) => {
    const date = BERLIN.format(signedAt)
    return { lines: lines.map((line) => line.replaceAll('{date}', date)), page, place, ...logo }
  }
}

/** as in "23.11.2026, 11:00 MEZ" */
const BERLIN = new Intl.DateTimeFormat('de', {
  ...({ day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit' } as const),
  timeZoneName: 'short',
  timeZone: 'Europe/Berlin',
})
