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
  | { kind: 'string'; raw: Buffer }
  | { kind: 'array'; items: PdfValue[] }
  | PdfDictionary
  | PdfReference

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

/** Writes a value so that a parser reads the same again. */
export function serialize(value: PdfValue): Buffer {
  const parts: (Buffer | string)[] = []
  append(value, parts)
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))
}

function append(value: PdfValue, out: (Buffer | string)[]): void {
  switch (value.kind) {
    case 'null':
      out.push('null')
      break
    case 'boolean':
      out.push(String(value.value))
      break
    case 'number':
      out.push(value.text)
      break
    case 'name':
      out.push(serializeName(value.value))
      break
    case 'string':
      out.push(value.raw)
      break
    case 'reference':
      out.push(`${value.number} ${value.generation} R`)
      break
    case 'array':
      out.push('[')
      value.items.forEach((item, index) => {
        if (index > 0) out.push(' ')
        append(item, out)
      })
      out.push(']')
      break
    case 'dictionary':
      out.push('<<')
      for (const [key, item] of value.entries) {
        out.push(serializeName(key), ' ')
        append(item, out)
      }
      out.push('>>')
  }
}

function serializeName(name: string): string {
  const escape = (character: string): string => `#${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  return `/${name.replace(/[^!-~]|[#%()<>[\]{}/]/g, escape)}`
}

/** The bytes that a string object stands for (§7.3.4). */
export function stringBytes(raw: Buffer): Buffer {
  const text = raw.toString('latin1')
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

/** A non-negative whole number, else null. */
export function wholeNumber(value: PdfValue | undefined): number | null {
  return value?.kind === 'number' && /^\+?\d{1,15}$/.test(value.text) ? Number(value.text) : null
}

export function damaged(message: string, cause?: unknown): SigningError {
  return new SigningError('signing/pdf-damaged', message, { cause })
}

const ESCAPES: Partial<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }
