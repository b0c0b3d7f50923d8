/**
 * Every signature that a document has or had: the values of signature fields in all its revisions (ISO 32000-2 §12.7.5.5).
 *
 * A value is told by the place where it is written: redefining its object makes another one.
 */
import { SigningError } from '../../errors.ts'
import type { PdfDocument } from '../document.ts'
import { readFields } from '../fields.ts'
import type { Field } from '../fields.ts'
import { readObjectAt } from '../objects.ts'
import { memoryOf } from '../values.ts'
import type { PdfDictionary, PdfReference } from '../values.ts'
import type { Revision, Revisions } from './revisions.ts'

export interface SignatureSite {
  /** fully qualified name of the field */
  fieldName: string
  /** object numbers of fields that have this value; -1: a field without a number */
  fields: ReadonlySet<number>
  /** as the document means it; null: not to be read, or no dictionary */
  dictionary: PdfDictionary | null
  /** the field's dictionary in the revision that wrote the signature */
  field: PdfDictionary
  /** as it stands in the file, not decrypted, with its place; null: it is inside an object stream */
  written: { dictionary: PdfDictionary; start: number; end: number } | null
  /** why `dictionary` is null */
  problem: string
  /** the first revision whose form shows it, and the last */
  first: Revision
  last: Revision
}

/** In the order in which they appear. */
export async function findSignatureSites(revisions: Revisions): Promise<SignatureSite[]> {
  const sites = new Map<string, SignatureSite & { fields: Set<number> }>()
  let touched: Set<number> | null = null
  let previous: string[] = []
  for (const revision of revisions.all) {
    const isNewest = revision === revisions.newest
    if (!isNewest && touched !== null && !writesAny(revision, touched)) {
      for (const key of previous) extend(sites.get(key), revision)
      continue
    }
    const shown = await sitesOf(revision, sites)
    touched = shown.touched
    previous = []
    for (const [key, site] of shown.sites) {
      const known = sites.get(key)
      if (known === undefined) sites.set(key, site)
      else for (const number of site.fields) known.fields.add(number)
      extend(sites.get(key), revision)
      previous.push(key)
    }
  }
  return [...sites.values()]
}

function extend(site: SignatureSite | undefined, revision: Revision): void {
  if (site !== undefined) site.last = revision
}

export function writesAny({ sections }: Revision, numbers: ReadonlySet<number>): boolean {
  for (const { ranges } of sections) {
    for (const { first, count } of ranges) {
      for (const number of numbers) if (number >= first && number < first + count) return true
    }
  }
  return false
}

interface Shown {
  sites: [string, SignatureSite & { fields: Set<number> }][]
  /** numbers of the objects that decide which signatures the form shows */
  touched: Set<number>
}

async function sitesOf(revision: Revision, known: ReadonlyMap<string, unknown>): Promise<Shown> {
  const { document } = revision
  const shown: Shown = { sites: [], touched: new Set() }
  const form = await readFormDictionary(document, shown.touched)
  if (form === null) return shown
  for (const field of await readFields(document, form, () => undefined)) {
    note(shown.touched, field.reference, field.dictionary.entries.get('Kids'))
    if (field.type !== 'Sig') continue
    const value = field.dictionary.entries.get('V')
    note(shown.touched, value)
    if (value === undefined || value.kind === 'null') continue
    const holder = value.kind === 'reference' ? value : field.reference
    const key = `${await placeOf(document, holder)} ${value.kind === 'reference' ? '' : field.name}`
    // what an earlier revision shows at the same place is not read again: only who has it counts then
    const found = known.has(key) ? emptySite(revision, field) : await readSite(revision, field, holder)
    if (found !== null) shown.sites.push([key, found])
  }
  return shown
}

/** Null: the document has no form, or none that can be read. */
export async function readFormDictionary(
  document: PdfDocument,
  touched = new Set<number>(),
): Promise<PdfDictionary | null> {
  const root = document.trailer.entries.get('Root')
  try {
    const catalog = await document.dictionary(root, 'the catalog')
    const form = catalog.entries.get('AcroForm')
    const dictionary = await document.resolve(form)
    note(touched, root, form)
    if (dictionary.kind !== 'dictionary') return null
    note(touched, dictionary.entries.get('Fields'))
    return dictionary
  } catch (error) {
    if (isDamage(error)) return null
    throw error
  }
}

function note(numbers: Set<number>, ...values: ({ kind: string } | PdfReference | null | undefined)[]): void {
  for (const value of values) if (value && 'number' in value) numbers.add(value.number)
}

type OpenSite = SignatureSite & { fields: Set<number> }

function emptySite(revision: Revision, field: Field): OpenSite {
  return {
    fieldName: field.name,
    fields: new Set([field.reference?.number ?? -1]),
    field: field.dictionary,
    dictionary: null,
    written: null,
    problem: '',
    first: revision,
    last: revision,
  }
}

async function readSite(revision: Revision, field: Field, holder: PdfReference | null): Promise<OpenSite | null> {
  const { document } = revision
  const value = field.dictionary.entries.get('V')
  const site = emptySite(revision, field)
  try {
    const dictionary = await document.resolve(value)
    if (dictionary.kind === 'null') return null
    if (dictionary.kind !== 'dictionary')
      return { ...site, problem: 'the value of the field is no signature dictionary' }
    document.budget.hold(2 * memoryOf(dictionary))
    return { ...site, dictionary, written: await readWritten(document, holder, value?.kind !== 'reference') }
  } catch (error) {
    if (!isDamage(error)) throw error
    return { ...site, problem: `the signature dictionary cannot be read: ${error.message}` }
  }
}

/** Where an object is written: the same text for the same bytes. */
export async function placeOf({ xref }: PdfDocument, holder: PdfReference | null): Promise<string> {
  if (holder === null) return 'form'
  const entry = await xref.find(holder.number)
  if (entry.kind === 'free') return `free ${holder.number}`
  if (entry.kind === 'at') return `at ${entry.offset}`
  const stream = await xref.find(entry.stream)
  return `in ${stream.kind === 'at' ? stream.offset : entry.stream} ${entry.index}`
}

async function readWritten(
  { xref, source, budget }: PdfDocument,
  holder: PdfReference | null,
  isInField: boolean,
): Promise<SignatureSite['written']> {
  const entry = holder === null ? null : await xref.find(holder.number)
  if (entry?.kind !== 'at') return null
  const { value, start, end } = await readObjectAt(source, entry.offset, budget)
  const dictionary = isInField && value.kind === 'dictionary' ? value.entries.get('V') : value
  return dictionary?.kind === 'dictionary' ? { dictionary, start, end } : null
}

/** What is wrong with the document, as opposed to faults of the machine and limits. */
export function isDamage(error: unknown): error is SigningError {
  return (
    error instanceof SigningError && (error.code === 'signing/pdf-damaged' || error.code === 'signing/pdf-unsupported')
  )
}
