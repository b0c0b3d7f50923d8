/** Languages of the pages, and how sizes, dates and numbers read in each. Berlin time, as on the wall. */
import type { Context } from 'koa'
import { de } from './texts/de.ts'
import type { Texts } from './texts/de.ts'
import { en } from './texts/en.ts'

export type { Texts } from './texts/de.ts'

export const LANGUAGES = ['de', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

const TEXTS: Record<Language, Texts> = { de, en }
const COOKIE = 'amtsbote-language'

/** A language with its sentences. */
export interface Wording {
  language: Language
  texts: Texts
}

/** What the reader chose with the switch, else what the browser asks for, else German. */
export function wordingOf(ctx: Context): Wording {
  const chosen = new RegExp(`(?:^|; ?)${COOKIE}=(de|en)(?:;|$)`).exec(ctx.get('cookie'))?.[1]
  const language = chosen ?? ctx.acceptsLanguages(...LANGUAGES)
  return wording(language === 'en' ? 'en' : 'de')
}

export function wording(language: Language): Wording {
  return { language, texts: TEXTS[language] }
}

/** Remembers the switch for a year; it names no person. */
export function languageCookie(language: Language, https: boolean): string {
  return `${COOKIE}=${language}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly${https ? '; Secure' : ''}`
}

const UNITS = ['Byte', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** Bytes in the largest unit that leaves a whole digit, with one decimal. */
export function readableSize(bytes: number, language: Language): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: unit === 0 ? 0 : 1 }).format(value)
  return `${number} ${UNITS[unit] ?? 'Byte'}`
}

const DATE_FORMATS = {
  de: new Intl.DateTimeFormat('de', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Europe/Berlin' }),
  en: new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Europe/Berlin' }),
}

/** Day and minute in Berlin. */
export function readableTime(at: Date, language: Language): string {
  return DATE_FORMATS[language].format(at)
}
