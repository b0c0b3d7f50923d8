/**
 * The field tree of a form (ISO 32000-2 §12.7.4): every node once, with what it inherits.
 */
import { SigningError } from '../errors.ts'
import type { PdfDocument } from './document.ts'
import { memoryOf, stringBytes } from './values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from './values.ts'

export interface Field {
  /** null: the node stands in the array itself */
  reference: PdfReference | null
  dictionary: PdfDictionary
  /** fully qualified (§12.7.4.2) */
  name: string
  /** own or inherited /FT; null: none */
  type: string | null
  depth: number
  /** null: at the top of the tree */
  parent: PdfReference | null
}

interface Visit extends Omit<Field, 'dictionary' | 'reference'> {
  value: PdfValue
}

/**
 * The nodes in the order of the tree. One field in two places of the tree is odd but harmless; a loop ends there.
 *
 * @param onUnreadable called instead of throwing when a node cannot be read
 * @throws SigningError `signing/pdf-damaged`, `signing/pdf-too-complex`
 */
export async function readFields(
  document: PdfDocument,
  acroForm: PdfDictionary,
  onUnreadable?: (error: SigningError) => void,
): Promise<Field[]> {
  const seen = new Set<number>()
  const open: Visit[] = []
  const found: Field[] = []
  let room = MAX_BYTES
  const push = (values: PdfValue[], from: Omit<Visit, 'value'>): void => {
    document.budget.spendSteps(values.length)
    for (const value of values.reverse()) {
      if (value.kind === 'reference' && seen.has(value.number)) continue
      if (value.kind === 'reference') seen.add(value.number)
      open.push({ ...from, value })
    }
  }
  push(await listAt(document, acroForm, 'Fields'), { name: '', type: null, depth: 0, parent: null })
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    if (visit.depth > MAX_DEPTH) throw new SigningError('signing/pdf-too-complex', 'the field tree is too deep')
    try {
      const field = await readField(document, visit)
      if (field === null) continue
      found.push(field)
      room -= memoryOf(field.dictionary)
      if (room < 0) throw new SigningError('signing/pdf-too-complex', 'the fields of the form take too much memory')
      const { name, type, depth, reference } = field
      push(await listAt(document, field.dictionary, 'Kids'), { name, type, depth: depth + 1, parent: reference })
    } catch (error) {
      if (onUnreadable === undefined || !(error instanceof SigningError) || error.code !== 'signing/pdf-damaged')
        throw error
      onUnreadable(error)
    }
  }
  return found
}

async function readField(document: PdfDocument, { value, ...visit }: Visit): Promise<Field | null> {
  const dictionary = await document.resolve(value)
  if (dictionary.kind !== 'dictionary') return null
  const partial = (await textAt(document, dictionary, 'T')).slice(0, MAX_NAME)
  return {
    ...visit,
    dictionary,
    reference: value.kind === 'reference' ? value : null,
    name: [visit.name, partial].filter((part) => part !== '').join('.'),
    type: (await nameAt(document, dictionary, 'FT')) ?? visit.type,
  }
}

/** The items of an array entry; none when the entry is absent or something else. */
export async function listAt(document: PdfDocument, holder: PdfDictionary, key: string): Promise<PdfValue[]> {
  const value = await document.resolve(holder.entries.get(key))
  return value.kind === 'array' ? [...value.items] : []
}

export async function nameAt(document: PdfDocument, holder: PdfDictionary, key: string): Promise<string | null> {
  const value = await document.resolve(holder.entries.get(key))
  return value.kind === 'name' ? value.value : null
}

/** A text string (§7.9.2.2): UTF-16BE with a mark, UTF-8 with a mark, else one byte a character. Empty when absent. */
export async function textAt(document: PdfDocument, holder: PdfDictionary, key: string): Promise<string> {
  const value = await document.resolve(holder.entries.get(key))
  return value.kind === 'string' ? decodeText(stringBytes(value.raw)) : ''
}

export function decodeText(bytes: Buffer): string {
  const mark = bytes.toString('hex', 0, 3)
  if (mark.startsWith('feff'))
    return Buffer.from(bytes.subarray(2, bytes.length & ~1))
      .swap16()
      .toString('utf16le')
  return mark === 'efbbbf' ? bytes.toString('utf8', 3) : bytes.toString('latin1')
}

const MAX_DEPTH = 32
const MAX_NAME = 4096
/** of all fields as they are in memory */
const MAX_BYTES = 48 * 1024 * 1024
