/**
 * ISO 8601 durations of the policy file: days, hours, minutes. Months and years have no fixed length and are refused.
 */

const PATTERN = /^P(?=[0-9T])(?:([0-9]{1,4})D)?(?:T(?=[0-9])(?:([0-9]{1,4})H)?(?:([0-9]{1,4})M)?)?$/

/** Milliseconds of a duration such as `PT15M` or `P7D`; null when the text is none, or is zero. */
export function parseDuration(text: string): number | null {
  const found = PATTERN.exec(text)
  if (found === null) return null
  const [days, hours, minutes] = [found[1], found[2], found[3]].map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
  ]
  const total = ((days * 24 + hours) * 60 + minutes) * 60_000
  return total > 0 ? total : null
}

/** The shortest text of a whole number of minutes, e.g. 5400000 → `PT1H30M`. Inverse of `parseDuration`. */
export function formatDuration(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60]
  const time = (hours > 0 ? `${hours}H` : '') + (rest > 0 ? `${rest}M` : '')
  return `P${days > 0 ? `${days}D` : ''}${time === '' ? '' : `T${time}`}`
}
