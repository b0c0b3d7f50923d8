/**
 * The new objects of a seal (ISO 32000-2 §12.5.6.19, §12.7.5.5, §12.8.1): field, appearance, texts of the signature.
 */
import { SigningError } from '../errors.ts'
import type { PlacedMark } from './mark/place.ts'
import { array, dictionary, name, number } from './values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from './values.ts'

export interface SealTexts {
  signedAt: Date
  reason?: string
  location?: string
}

/** The signature field and its widget in one object. */
export function widget(
  field: string,
  links: { signature: PdfReference; appearance: PdfReference; page: PdfReference },
  { rect, rotation }: Pick<PlacedMark, 'rect' | 'rotation'>,
): PdfDictionary {
  return dictionary({
    Type: name('Annot'),
    Subtype: name('Widget'),
    FT: name('Sig'),
    T: text(field),
    V: links.signature,
    P: links.page,
    Rect: rect,
    F: number(132), // print, locked
    AP: dictionary({ N: links.appearance }),
    ...(rotation === 0 ? {} : { MK: dictionary({ R: number(rotation) }) }),
  })
}

/** §12.7.5.5: a field without extent is not shown. */
export const INVISIBLE: PlacedMark = {
  rect: array(number(0), number(0), number(0), number(0)),
  width: 0,
  height: 0,
  rotation: 0,
}

/** Draws nothing; checkers of PDF/A want every annotation to have an appearance. */
export const EMPTY_APPEARANCE = dictionary({
  Type: name('XObject'),
  Subtype: name('Form'),
  BBox: array(number(0), number(0), number(0), number(0)),
})

/**
 * Entries of the signature dictionary for people (§12.8.1 table 255; EN 319 142-1 §6.3 demands /M).
 *
 * @throws SigningError `signing/bad-text`
 */
export function signatureEntries(
  { signedAt, reason = '', location = '' }: SealTexts,
  signerName: string,
): Map<string, PdfValue> {
  const entries = new Map<string, PdfValue>()
  if (signerName !== '') entries.set('Name', text(checked(signerName)))
  if (reason !== '') entries.set('Reason', text(checked(reason)))
  if (location !== '') entries.set('Location', text(checked(location)))
  return entries.set('M', text(`D:${signedAt.toISOString().replace(/[-:T]|\.\d+/g, '')}`))
}

function checked(value: string): string {
  if (value.length > 200 || /\p{Cc}/u.test(value)) {
    throw new SigningError('signing/bad-text', 'a text in a seal has at most 200 characters and no control characters')
  }
  return value
}

/** A text string (§7.9.2.2): plain where that is enough, else UTF-16BE with a mark. */
function text(value: string): PdfValue {
  const plain = /^[ -~]*$/.test(value)
  const raw = plain
    ? `(${value.replace(/[\\()]/g, (character) => `\\${character}`)})`
    : `<feff${Buffer.from(value, 'utf16le').swap16().toString('hex')}>`
  return { kind: 'string', raw }
}
