/**
 * PDF objects as values, and back to bytes (ISO 32000-2 §7.3).
 *
 * What is rewritten keeps its spelling: numbers as text, strings with their delimiters.
 */
import { SigningError } from '../errors.ts'

export type PdfValue =
  | { kind: 'null' }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'number'; text: string }
  | { kind: 'name'; value: string }
  | PdfString
  | { kind: 'array'; items: PdfValue[] }
  | PdfDictionary
  | PdfReference

export interface PdfString {
  kind: 'string'
  /** with its delimiters, one character a byte */
  raw: string
}

export interface PdfDictionary {
  kind: 'dictionary'
  /** by name without the slash, #-escapes resolved, one character per byte */
  entries: Map<string, PdfValue>
}

export interface PdfReference {
  kind: 'reference'
  number: number
  generation: number
}

export interface IndirectObject {
  number: number
  generation: number
  value: PdfValue
  /** how many values it is made of */
  values: number
  /** absolute offset of its number */
  start: number
  /** absolute offset behind `endobj`, or behind the keyword `stream` */
  end: number
  /** absolute offset of the first byte of stream data; null when the object is no stream */
  streamStart: number | null
}

/** Writes a value so that a parser reads the same again; one character stands for one byte. */
export function serialize(value: PdfValue): string {
  switch (value.kind) {
    case 'null':
      return 'null'
    case 'boolean':
      return String(value.value)
    case 'number':
      return value.text
    case 'name':
      return serializeName(value.value)
    case 'string':
      return value.raw
    case 'reference':
      return `${value.number} ${value.generation} R`
    case 'array':
      return `[${value.items.map(serialize).join(' ')}]`
    case 'dictionary': {
      let text = '<<'
      for (const [key, item] of value.entries) text += `${serializeName(key)} ${serialize(item)}`
      return `${text}>>`
    }
  }
}

function serializeName(name: string): string {
  return `/${IRREGULAR.test(name) ? name.replace(ALL_IRREGULAR, escapeCharacter) : name}`
}

function escapeCharacter(character: string): string {
  return `#${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}

/** What a name must not hold as it is (§7.3.5). */
const IRREGULAR = /[^!-~]|[#%()<>[\]{}/]/
const ALL_IRREGULAR = new RegExp(IRREGULAR, 'g')

/** About how many bytes of memory a value takes. */
export function memoryOf(value: PdfValue): number {
  if (value.kind === 'string') return VALUE_BYTES + value.raw.length
  if (value.kind === 'array') return value.items.reduce((sum, item) => sum + memoryOf(item), VALUE_BYTES)
  if (value.kind !== 'dictionary') return VALUE_BYTES
  let sum = 2 * VALUE_BYTES
  for (const [key, item] of value.entries) sum += VALUE_BYTES + key.length + memoryOf(item)
  return sum
}

/** The bytes that a string object stands for (§7.3.4). */
export function stringBytes(text: string): Buffer {
  if (text.startsWith('<')) {
    const digits = text.replace(/[^0-9A-Fa-f]/g, '')
    return Buffer.from(digits.length % 2 === 0 ? digits : `${digits}0`, 'hex')
  }
  const plain = text
    .slice(1, -1)
    .replace(/\r\n?/g, '\n')
    .replace(/\\(\n|[0-7]{1,3}|[^])/g, (_, code: string) => {
      if (code === '\n') return ''
      if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff)
      return ESCAPES[code] ?? code
    })
  return Buffer.from(plain, 'latin1')
}

export const name = (value: string): PdfValue => ({ kind: 'name', value })
export const number = (value: number): PdfValue => ({ kind: 'number', text: String(value) })
export const reference = (to: number, generation = 0): PdfReference => ({ kind: 'reference', number: to, generation })
export const array = (...items: PdfValue[]): PdfValue => ({ kind: 'array', items })
export const dictionary = (entries: Record<string, PdfValue>): PdfDictionary => ({
  kind: 'dictionary',
  entries: new Map(Object.entries(entries)),
})

/** A copy of the dictionary with one entry set. */
export function withEntry(owner: PdfDictionary, key: string, value: PdfValue): PdfDictionary {
  return { kind: 'dictionary', entries: new Map(owner.entries).set(key, value) }
}

/** A non-negative whole number, else null. */
export function wholeNumber(value: PdfValue | undefined): number | null {
  return value?.kind === 'number' && /^\+?\d{1,15}$/.test(value.text) ? Number(value.text) : null
}

export function damaged(message: string, cause?: unknown): SigningError {
  return new SigningError('signing/pdf-damaged', message, { cause })
}

/** what a value takes in memory beside its text: a number less, a dictionary more */
export const VALUE_BYTES = 100

const ESCAPES: Partial<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }
