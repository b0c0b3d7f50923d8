/**
 * PDF objects from bytes to values (ISO 32000-2 §7.2, §7.3). Knows no file structure.
 *
 * Depth and number of values are bounded; an object that the buffer cuts off is told apart from one that is wrong, so
 * that the caller can read on. A dictionary with the same key twice is refused: readers disagree about what it means.
 */
import { SigningError } from '../errors.ts'
import { damaged } from './values.ts'
import type { PdfDictionary, PdfValue } from './values.ts'

/** The buffer ends inside the object. */
export class CutOff extends Error {}

/** Reads values from `bytes`, starting at `position`, which moves along. */
export class PdfParser {
  readonly bytes: Buffer
  position: number
  #values = 0
  #depth = 0

  constructor(bytes: Buffer, position = 0) {
    this.bytes = bytes
    this.position = position
  }

  /** how many values were read, those inside others too */
  get values(): number {
    return this.#values
  }

  /** @throws CutOff · SigningError `signing/pdf-damaged`, `signing/pdf-too-complex` */
  value(): PdfValue {
    if (++this.#values > MAX_VALUES)
      throw new SigningError('signing/pdf-too-complex', 'one object holds too many values')
    this.skipSpace()
    const byte = this.#peek()
    if (byte === SLASH) return { kind: 'name', value: this.#name() }
    if (byte === LEFT_PARENTHESIS) return { kind: 'string', raw: this.#literalString() }
    if (byte === LEFT_BRACKET) return this.#array()
    if (byte === LESS) return this.#peek(1) === LESS ? this.#dictionary() : this.#hexString()
    return isNumberStart(byte) ? this.#numberOrReference() : this.#word()
  }

  /** Consumes white space and comments (§7.2.3, §7.2.4). */
  skipSpace(): void {
    for (;;) {
      const byte = this.bytes[this.position]
      if (byte === undefined) return
      if (byte === PERCENT) while (!isEol(this.#peek())) this.position++
      else if (isSpace(byte)) this.position++
      else return
    }
  }

  /** Consumes `word` if it is next, else nothing. */
  accept(word: string): boolean {
    this.skipSpace()
    if (this.bytes.length - this.position <= word.length) throw CUT_OFF
    for (let at = 0; at < word.length; at++) {
      if (this.bytes[this.position + at] !== word.charCodeAt(at)) return false
    }
    const end = this.position + word.length
    if (isRegular(this.bytes[end])) return false
    this.position = end
    return true
  }

  /** A non-negative integer of at most 10 digits. */
  integer(): number {
    this.skipSpace()
    const start = this.position
    const value = this.#digits()
    const digits = this.position - start
    if (digits === 0 || digits > 10 || isRegular(this.#peek())) throw damaged('a number was expected')
    return value
  }

  #peek(ahead = 0): number {
    const byte = this.bytes[this.position + ahead]
    if (byte === undefined) throw CUT_OFF
    return byte
  }

  #goDeeper(): void {
    if (++this.#depth > MAX_DEPTH)
      throw new SigningError('signing/pdf-too-complex', `nested more than ${MAX_DEPTH} deep`)
  }

  #array(): PdfValue {
    this.#goDeeper()
    this.position++
    const items: PdfValue[] = []
    for (;;) {
      this.skipSpace()
      if (this.#peek() === RIGHT_BRACKET) break
      items.push(this.value())
    }
    this.position++
    this.#depth--
    return { kind: 'array', items }
  }

  #dictionary(): PdfDictionary {
    this.#goDeeper()
    this.position += 2
    const entries = new Map<string, PdfValue>()
    for (;;) {
      this.skipSpace()
      if (this.#peek() === GREATER) break
      if (this.#peek() !== SLASH) throw damaged('a dictionary key is not a name')
      const key = this.#name()
      if (entries.has(key)) throw damaged(`a dictionary has the key twice`)
      entries.set(key, this.value())
    }
    if (this.#peek(1) !== GREATER) throw damaged('a dictionary does not end')
    this.position += 2
    this.#depth--
    return { kind: 'dictionary', entries }
  }

  #name(): string {
    this.position++
    const text = this.#regular()
    if (!text.includes('#')) return text
    return text.replace(/#([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }

  /** §7.3.4.2: parentheses nest, a backslash hides the next byte. */
  #literalString(): string {
    const start = this.position
    let open = 0
    do {
      const byte = this.#peek()
      if (byte === BACKSLASH) this.position++
      else if (byte === LEFT_PARENTHESIS) open++
      else if (byte === RIGHT_PARENTHESIS) open--
      this.position++
    } while (open > 0)
    return this.bytes.toString('latin1', start, this.position)
  }

  #hexString(): PdfValue {
    const start = this.position
    const last = this.bytes.indexOf(GREATER, start)
    if (last < 0) throw CUT_OFF
    // signatures are long ones: looked at as a whole
    const raw = this.bytes.toString('latin1', start, last + 1)
    if (!HEX_STRING.test(raw)) throw damaged('a hexadecimal string has other characters')
    this.position = last + 1
    return { kind: 'string', raw }
  }

  #numberOrReference(): PdfValue {
    const start = this.position
    const first = this.#digits()
    const digits = this.position - start
    if (digits === 0 || digits > 10 || isRegular(this.#peek())) return this.#number(start)
    const back = this.position
    this.skipSpace()
    const from = this.position
    const generation = this.#digits()
    const width = this.position - from
    if (width > 0 && width <= 5 && !isRegular(this.#peek())) {
      this.skipSpace()
      if (this.#peek() === LETTER_R && !isRegular(this.#peek(1))) {
        this.position++
        return { kind: 'reference', number: first, generation }
      }
    }
    this.position = back
    if (first < SMALL_NUMBERS.length && digits === widthOf(first)) return SMALL_NUMBERS[first] ?? NULL
    return { kind: 'number', text: this.bytes.toString('latin1', start, back) }
  }

  /** The digits that stand here, none included. */
  #digits(): number {
    let value = 0
    for (let byte = this.#peek(); isDigit(byte); byte = this.#peek()) {
      value = value * 10 + byte - ZERO
      this.position++
    }
    return value
  }

  #number(start: number): PdfValue {
    this.position = start
    const text = this.#regular()
    if (!/^[+-]*\d*\.?\d*$/.test(text) || !/\d/.test(text)) throw damaged('a number is misspelt')
    return { kind: 'number', text }
  }

  #word(): PdfValue {
    const text = this.#regular()
    if (text === 'true' || text === 'false') return { kind: 'boolean', value: text === 'true' }
    if (text === 'null') return { kind: 'null' }
    throw damaged('an unknown word stands where a value was expected')
  }

  /** The run of regular characters here (§7.2.3). */
  #regular(): string {
    const start = this.position
    while (isRegular(this.bytes[this.position])) this.position++
    if (this.position - start > MAX_WORD) throw damaged('a name or number is too long')
    if (this.position >= this.bytes.length) throw CUT_OFF
    return this.bytes.toString('latin1', start, this.position)
  }
}

function isSpace(byte: number): boolean {
  return KINDS[byte] === SPACE
}

function isEol(byte: number): boolean {
  return byte === 10 || byte === 13
}

function isRegular(byte: number | undefined): boolean {
  return byte !== undefined && KINDS[byte] === REGULAR
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9
}

function isNumberStart(byte: number): boolean {
  return isDigit(byte) || byte === 43 || byte === 45 || byte === 46
}

const [SLASH, PERCENT, BACKSLASH, LETTER_R, ZERO] = [0x2f, 0x25, 0x5c, 0x52, 0x30]
const [LEFT_PARENTHESIS, RIGHT_PARENTHESIS, LEFT_BRACKET, RIGHT_BRACKET, LESS, GREATER] = [40, 41, 91, 93, 60, 62]
/** one for all: it happens often, and nobody reads its stack */
const CUT_OFF = new CutOff()
/** What each byte is (§7.2.3). */
const [REGULAR, SPACE, DELIMITER] = [0, 1, 2]
const KINDS = new Uint8Array(256)
for (const byte of Buffer.from('\0\t\n\f\r ')) KINDS[byte] = SPACE
for (const byte of Buffer.from('()<>[]{}/%')) KINDS[byte] = DELIMITER
/** with the white space of §7.2.3 */
const HEX_STRING = /^<[0-9A-Fa-f \n\r\t\0\f]*>$/
/** one for all, since most numbers are small */
const NULL: PdfValue = { kind: 'null' }
const SMALL_NUMBERS = Array.from({ length: 1000 }, (_, value): PdfValue => ({ kind: 'number', text: String(value) }))
const widthOf = (small: number): number => (small < 10 ? 1 : small < 100 ? 2 : 3)
const MAX_DEPTH = 64
const MAX_VALUES = 250_000
const MAX_WORD = 1024
