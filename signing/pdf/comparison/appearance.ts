/**
 * Can an annotation hide what lies under it? (ISO 32000-2 §12.5.5). Answers yes when in doubt: page contents are not
 * drawn here, so whatever paints anywhere may lie over text.
 */
import type { PdfDocument } from '../document.ts'
import type { PdfDictionary, PdfValue } from '../values.ts'
import { wholeNumber } from '../values.ts'
import { isDamage } from '../revisions/signature-sites.ts'
import { readStream } from '../streams.ts'
import { dictionaryOf, itemsOf, nameOf, readCompared } from './objects.ts'

export async function canCover(document: PdfDocument, annotation: PdfDictionary): Promise<boolean> {
  if (await isEmptyRectangle(document, annotation.entries.get('Rect'))) return false
  const flags = await document.resolve(annotation.entries.get('F'))
  if (((wholeNumber(flags) ?? 0) & (HIDDEN | NO_VIEW)) !== 0) return false
  const appearances = await dictionaryOf(document, annotation.entries.get('AP'))
  const normal = appearances?.entries.get('N')
  if (normal !== undefined && normal.kind !== 'null') return paints(document, normal)
  const subtype = await nameOf(document, annotation.entries.get('Subtype'))
  return !(subtype !== null && UNPAINTED.has(subtype)) || (await hasThickBorder(document, annotation))
}

async function isEmptyRectangle(document: PdfDocument, value: PdfValue | undefined): Promise<boolean> {
  const numbers = (await itemsOf(document, value)).map((item) => (item.kind === 'number' ? Number(item.text) : NaN))
  const [left = NaN, bottom = NaN, right = NaN, top = NaN] = numbers
  return Math.abs(right - left) < SMALLEST || Math.abs(top - bottom) < SMALLEST
}

/** One stream, or one for each state of the annotation. */
async function paints(document: PdfDocument, normal: PdfValue): Promise<boolean> {
  if (normal.kind === 'reference') {
    const { value, stream, isDamaged } = await readCompared(document, normal)
    if (stream !== null) return stream.length > 0
    if (isDamaged) return true
    return value.kind === 'dictionary' && paints(document, value)
  }
  if (normal.kind !== 'dictionary') return false
  for (const state of normal.entries.values()) {
    if (state.kind !== 'reference') continue
    const { stream, isDamaged } = await readCompared(document, state)
    if (isDamaged || (stream?.length ?? 0) > 0) return true
  }
  return false
}

/** Does the normal appearance of a text field write or draw more than its background and border? */
export async function showsText(document: PdfDocument, field: PdfDictionary): Promise<boolean> {
  const appearances = await dictionaryOf(document, field.entries.get('AP'))
  const normal = appearances?.entries.get('N')
  if (normal?.kind !== 'reference') return false
  try {
    const content = (await readStream(document, normal)).toString('latin1')
    return WRITES.test(content) || (content.match(DRAWS)?.length ?? 0) > MAX_LINES
  } catch (error) {
    if (isDamage(error)) return true
    throw error
  }
}

/** A border as wide as the text is high hides it as well. */
async function hasThickBorder(document: PdfDocument, annotation: PdfDictionary): Promise<boolean> {
  const border = (await itemsOf(document, annotation.entries.get('Border')))[2]
  const style = await dictionaryOf(document, annotation.entries.get('BS'))
  return [border, style?.entries.get('W')].some((width) => width?.kind === 'number' && Number(width.text) > THICK)
}

/** operators that show text, images and shadings (§8, §9.4.3) */
const WRITES = /(?:^|[\s\])>])(?:Tj|TJ|Do|BI|sh|'|")(?=\s|$)/
const DRAWS = /\s(?:l|c|v|y)(?=\s)/g
const MAX_LINES = 16
const HIDDEN = 2
const NO_VIEW = 32
/** points */
const SMALLEST = 0.5
const THICK = 4
/** without an appearance of their own, readers draw these beside or under the text, if at all */
const UNPAINTED: ReadonlySet<string> = new Set([
  'Link',
  'Text',
  'Popup',
  'Highlight',
  'Underline',
  'Squiggly',
  'StrikeOut',
  'Caret',
  'FileAttachment',
  'Sound',
  'TrapNet',
  'PrinterMark',
])
