/**
 * How files of a filing may be called: the rules of names, judged over all names of a message at once.
 *
 * A name counts as it would travel: composed and decomposed umlauts are two spellings, of which only the first is taken.
 */
import { SIGNATURE_ENDINGS } from './court-form.ts'
import type { CourtRuleId } from './court-form.ts'

export interface NameFinding {
  rule: Extract<CourtRuleId, `name-${string}`>
  /** index in the list of names */
  index: number
  /** for people who look closer: numbers, code points */
  detail: string
}

/** What is against the rules in these names, in their order; a name may break several. */
export function judgeCourtNames(names: readonly string[]): NameFinding[] {
  const firstWithKey = new Map<string, number>()
  return names.flatMap((name, index) => {
    const key = nameKey(name)
    const first = firstWithKey.get(key) ?? index
    firstWithKey.set(key, first)
    const length = name.replace(/[^]/gu, '.').length
    const strange = strangeCharacters(name)
    const found: (NameFinding | null)[] = [
      length > MAX_LENGTH ? { rule: 'name-length', index, detail: `${length} > ${MAX_LENGTH}` } : null,
      strange === '' ? null : { rule: 'name-characters', index, detail: strange },
      hasFitDots(name) ? null : { rule: 'name-dots', index, detail: '' },
      RESERVED.has(key) ? { rule: 'name-reserved', index, detail: '' } : null,
      first === index ? null : { rule: 'name-twice', index, detail: names[first] ?? '' },
    ]
    return found.filter((finding) => finding !== null)
  })
}

/** The same for names that some system takes for one: upper and lower case, composed and decomposed letters. */
export function nameKey(name: string): string {
  return name.normalize('NFC').toLowerCase().normalize('NFC')
}

/** Behind the last dot, in lower case; empty: none. */
export function nameEnding(name: string): string {
  const at = name.lastIndexOf('.')
  return at < 0 ? '' : nameKey(name.slice(at + 1))
}

/** The code points that must not be in it, each once: `U+0020 U+00E9`. */
function strangeCharacters(name: string): string {
  const strange = [...new Set(name.match(/[^A-Za-zÄÖÜäöüß0-9_.-]/gu))].slice(0, MAX_NAMED)
  return strange.map((one) => `U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`).join(' ')
}

/** One dot, before the ending; a second one before the ending of a signature: `Klage.pdf.p7s`. */
function hasFitDots(name: string): boolean {
  const parts = name.split('.')
  const most = SIGNATURE_ENDINGS.has(nameEnding(name)) ? 3 : 2
  return parts.length >= 2 && parts.length <= most && parts.every((part) => part !== '')
}

/** With the ending. */
const MAX_LENGTH = 90
/** What the sending program adds itself. */
const RESERVED: ReadonlySet<string> = new Set(['xjustiz_nachricht.xml', 'vhn.xml', 'vhn.xml.p7s'])
const MAX_NAMED = 10
