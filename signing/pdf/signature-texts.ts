/**
 * What a signature dictionary says for people: time, reason, place (ISO 32000-2 table 255). Claims, no proof.
 */
import type { PdfDocument } from './document.ts'
import { textAt } from './fields.ts'
import type { PdfDictionary } from './values.ts'

export interface SignatureTexts {
  /** null: none, or one without a zone */
  time: Date | null
  /** /M is there, whatever it says */
  hasTime: boolean
  reason: string | null
  location: string | null
  hasCertificate: boolean
  /** all of them, for comparing */
  all: string
}

export async function readSignatureTexts(document: PdfDocument, signature: PdfDictionary): Promise<SignatureTexts> {
  const texts = new Map<string, string>()
  const of = (key: string): string | null => {
    const text = texts.get(key) ?? ''
    return text === '' ? null : text
  }
  for (const key of ['M', 'Reason', 'Location', 'Name', 'ContactInfo']) {
    texts.set(key, (await textAt(document, signature, key)).slice(0, MAX_TEXT))
  }
  return {
    time: readPdfDate(texts.get('M') ?? ''),
    hasTime: texts.get('M') !== '',
    reason: of('Reason'),
    location: of('Location'),
    hasCertificate: signature.entries.has('Cert'),
    all: JSON.stringify([...texts]),
  }
}

/** §7.9.4: `D:YYYYMMDDHHmmSSOHH'mm'`; a time without a zone is the time of no place, null. */
function readPdfDate(text: string): Date | null {
  const match = /^D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:Z(?:00'?00'?)?|([+-])(\d\d)'?(\d\d)?'?)$/.exec(text)
  if (match === null) return null
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number)
  const utc = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second)
  const offset = (Number(match[8] ?? 0) * 60 + Number(match[9] ?? 0)) * (match[7] === '-' ? -1 : 1)
  const at = new Date(utc - offset * 60_000)
  const isReal = new Date(utc).toISOString().startsWith(`${match[1]}-${match[2]}-${match[3]}T${match[4]}`)
  return isReal ? at : null
}

const MAX_TEXT = 10_000
