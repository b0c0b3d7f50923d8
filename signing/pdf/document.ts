/**
 * A PDF as its newest revision shows it: objects by reference, read one by one from a document of any size.
 *
 * Strict on purpose: what one reader would repair, another would show differently, and neither belongs under a seal.
 */
import { SigningError } from '../errors.ts'
import { pagedAccess } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import { createBudget } from './budget.ts'
import type { Budget } from './budget.ts'
import { openEncryption } from './encryption/encryption.ts'
import type { Encryption } from './encryption/encryption.ts'
import { isObject, readObjectAt } from './objects.ts'
import { createObjectStreams } from './object-streams.ts'
import { damaged, wholeNumber } from './values.ts'
import type { IndirectObject, PdfDictionary, PdfReference, PdfValue } from './values.ts'
import { readXref } from './xref.ts'
import type { Xref } from './xref.ts'

export interface PdfDocument {
  /** the document's bytes, read through a small cache */
  source: RandomAccess
  xref: Xref
  /** of the newest section */
  trailer: PdfDictionary
  /** the first object number that no revision uses */
  nextNumber: number
  budget: Budget
  /** null: the document is not encrypted */
  encryption: Encryption | null
  /** The object that a reference names; the null object when nothing is there. */
  fetch(reference: PdfReference): Promise<PdfValue>
  /** A value itself, or what its reference leads to. */
  resolve(value: PdfValue | undefined): Promise<PdfValue>
  /** As `resolve`; throws `signing/pdf-damaged` when that is no dictionary. `what` names it in the message. */
  dictionary(value: PdfValue | undefined, what: string): Promise<PdfDictionary>
}

export interface OpenOptions {
  /** of the user or the owner, for an encrypted document; left out, the empty password is tried */
  password?: string | undefined
}

/**
 * Opens a document for reading. Reads its end, its cross-reference, its encryption and nothing else.
 *
 * @throws SigningError `signing/pdf-encrypted` a password is needed or wrong; the message says which
 * @throws SigningError `signing/not-a-pdf`, `signing/pdf-damaged`, `signing/pdf-too-complex`, `signing/pdf-unsupported`
 */
export async function openDocument(document: RandomAccess, options: OpenOptions = {}): Promise<PdfDocument> {
  const source = pagedAccess(document)
  await checkHeader(source)
  const budget = createBudget()
  const xref = await readXref(source, await findStart(source), budget)
  const plain = createDocument({ source, xref, budget, encryption: null })
  const encryption = await openEncryption(plain, xref, options.password ?? '')
  return encryption === null ? plain : createDocument({ source, xref, budget, encryption })
}

/** The document as this cross-reference shows it: of all sections, or of the older ones alone. */
export function createDocument(parts: Pick<PdfDocument, 'source' | 'xref' | 'budget' | 'encryption'>): PdfDocument {
  const { source, xref, budget, encryption } = parts
  const objectStreams = createObjectStreams(parts)

  async function fetch(reference: PdfReference): Promise<PdfValue> {
    const entry = await xref.find(reference.number)
    if (entry.kind === 'free') return { kind: 'null' }
    if (entry.kind === 'compressed') return objectStreams.read(reference, entry)
    const object: IndirectObject = await readObjectAt(source, entry.offset, budget)
    // readers differ about a wrong generation: to some the object is not there, others do not look
    if (entry.generation !== reference.generation || !isObject(object, reference)) {
      throw damaged(`object ${reference.number} is not where the cross-reference says`)
    }
    if (object.streamStart !== null) throw damaged(`object ${reference.number} is a stream and should not be`)
    return encryption === null ? object.value : encryption.decryptValue(object.value, reference)
  }

  async function resolve(value: PdfValue | undefined): Promise<PdfValue> {
    const first = value?.kind === 'reference' ? await fetch(value) : (value ?? { kind: 'null' })
    // §7.3.10: an indirect object is never itself a reference
    if (first.kind === 'reference') throw damaged('a reference leads to a reference')
    return first
  }

  async function dictionary(value: PdfValue | undefined, what: string): Promise<PdfDictionary> {
    const found = await resolve(value)
    if (found.kind !== 'dictionary') throw damaged(`${what} is no dictionary`)
    return found
  }

  const { trailer } = xref.sections[0]
  return { source, xref, budget, encryption, trailer, nextNumber: nextNumber(xref), fetch, resolve, dictionary }
}

async function checkHeader(source: RandomAccess): Promise<void> {
  const start = await source.read(0, Math.min(HEADER_SEARCH_BYTES, source.size))
  const at = start.indexOf('%PDF-')
  if (at < 0) throw new SigningError('signing/not-a-pdf', 'the document has no PDF header')
  if (at > 0) throw damaged(`${at} bytes stand before the PDF header`)
}

/** §7.5.5: the last lines are `startxref`, an offset, and %%EOF; only white space may follow. */
async function findStart(source: RandomAccess): Promise<number> {
  const length = Math.min(TAIL_BYTES, source.size)
  const tail = await source.read(source.size - length, length)
  const at = tail.lastIndexOf('startxref', undefined, 'latin1')
  if (at < 0) throw damaged('the document ends without startxref; it may be cut off')
  const match = /^startxref[\s\0]+(\d{1,10})[\s\0]+%%EOF[\s\0]*$/.exec(tail.toString('latin1', at))
  if (match === null) throw damaged('the document does not end with startxref, an offset and %%EOF')
  return Number(match[1])
}

/** Some producers write a /Size that is too small; what the sections list counts as well. */
function nextNumber({ sections }: Xref): number {
  const size = wholeNumber(sections[0].trailer.entries.get('Size'))
  if (size === null) throw damaged('the trailer has no /Size')
  const next = sections.reduce((highest, { end }) => Math.max(highest, end), size)
  if (next > MAX_OBJECTS) throw new SigningError('signing/pdf-too-complex', 'object numbers are used up')
  return next
}

const HEADER_SEARCH_BYTES = 1024
const TAIL_BYTES = 2048
/** ISO 32000-1 annex C.2 */
const MAX_OBJECTS = 8_388_607 - 16
