/** How names and times of a report are shown to people. */

type Language = 'de' | 'en'
const LOCALES = { de: 'de', en: 'en-GB' }
/** Made at their first use: each takes 4 MB of memory. */
const formats: Partial<Record<Language, Intl.DateTimeFormat>> = {}

/** Second and zone, as on a wall clock in Berlin. `iso`: ISO 8601. */
export function readableTime(iso: string, language: Language): string {
  formats[language] ??= new Intl.DateTimeFormat(LOCALES[language], {
    dateStyle: 'medium',
    timeStyle: 'long',
    timeZone: 'Europe/Berlin',
  })
  return formats[language].format(new Date(iso))
}

/** `CN=…` and, where it says more, `O=…` of a distinguished name as RFC 4514 writes it; else the whole name. */
export function commonName(distinguishedName: string): string {
  const common = part(distinguishedName, 'CN')
  const organisation = part(distinguishedName, 'O')
  if (common === null) return organisation ?? distinguishedName
  return organisation === null || organisation === common ? common : `${common} (${organisation})`
}

function part(name: string, type: string): string | null {
  const match = new RegExp(`(?:^|[,+])\\s*${type}=((?:\\\\.|[^,+\\\\])*)`).exec(name)
  return match?.[1] === undefined ? null : match[1].replace(/\\(.)/g, '$1').trim()
}
