/**
 * What single dictionaries of a PDF give away: actions, embedded files, references to the outside, fonts.
 *
 * Told by their own entries and not by the place where they hang, so that no place is forgotten.
 */
import { EXECUTABLE_ENDINGS, nameEnding } from '../../policies/index.ts'
import { dictionaryOf, nameOf } from '../pdf/comparison/objects.ts'
import { valuesIn } from '../pdf/comparison/walk.ts'
import type { PdfDocument } from '../pdf/document.ts'
import { decodeText } from '../pdf/fields.ts'
import { isDamage } from '../pdf/revisions/signature-sites.ts'
import { stringBytes } from '../pdf/values.ts'
import type { PdfDictionary, PdfValue } from '../pdf/values.ts'

/**
 * - `script`: JavaScript · `launch`: starts a program or opens a file · `xfa`: a form that is a program by itself
 * - `embedded-file`: any file inside, `executable`: one that a computer executes
 * - `multimedia`: needs a player · `external`: loads from, sends to or opens another file
 * - `font`: one that is not in the file
 */
export type PdfTrait = 'script' | 'launch' | 'xfa' | 'embedded-file' | 'executable' | 'multimedia' | 'external' | 'font'

/** Where each was found: object numbers, names of files and fonts; the first few. */
export type PdfTraits = ReadonlyMap<PdfTrait, readonly string[]>

export interface TraitCollection {
  traits: PdfTraits
  /** `where` may be empty */
  add: (trait: PdfTrait, where: string) => void
}

export function collectTraits(): TraitCollection {
  const traits = new Map<PdfTrait, string[]>()
  return {
    traits,
    add: (trait, where) => {
      const places = traits.get(trait) ?? []
      traits.set(trait, places)
      if (where !== '' && places.length < MAX_PLACES && !places.includes(where)) places.push(where)
    },
  }
}

export interface InspectedObject {
  /** 0: the trailer */
  number: number
  value: PdfValue
  isStream: boolean
}

/** Looks at every dictionary of this object, also those inside of others. */
export async function traitsIn(
  document: PdfDocument,
  { number, value, isStream }: InspectedObject,
  found: TraitCollection,
): Promise<void> {
  const place = `object ${number}`
  for (const inner of valuesIn(value)) {
    if (inner.kind !== 'dictionary') continue
    await actionTrait(document, inner, (trait) => {
      found.add(trait, place)
    })
    await fileTraits(document, inner, found)
    await fontTrait(document, inner, found)
  }
  // §7.3.8.2, table 5: the data of a stream with /F are in another file
  if (isStream && value.kind === 'dictionary' && value.entries.has('F')) found.add('external', place)
}

/** §12.6.4 table 201, §12.5.6.1 table 171 */
async function actionTrait(
  document: PdfDocument,
  { entries }: PdfDictionary,
  add: (trait: PdfTrait) => void,
): Promise<void> {
  if (entries.has('JS')) add('script')
  const action = entries.has('S') ? ACTIONS.get((await nameOf(document, entries.get('S'))) ?? '') : undefined
  if (action !== undefined) add(action)
  const annotation = entries.has('Rect') ? await nameOf(document, entries.get('Subtype')) : null
  if (annotation !== null && MULTIMEDIA.has(annotation)) add('multimedia')
}

/** §7.11.3, §7.11.4 */
async function fileTraits(document: PdfDocument, { entries }: PdfDictionary, found: TraitCollection): Promise<void> {
  const isSpecification = entries.has('EF')
  const isContent = entries.has('Type') && (await nameOf(document, entries.get('Type'))) === 'EmbeddedFile'
  if (!isSpecification && !isContent) return
  const names = isSpecification ? await fileNames(document, entries) : []
  found.add('embedded-file', names[0] ?? '')
  for (const name of names) if (EXECUTABLE_ENDINGS.has(nameEnding(name))) found.add('executable', name)
}

async function fileNames(document: PdfDocument, entries: PdfDictionary['entries']): Promise<string[]> {
  const names: string[] = []
  for (const key of ['UF', 'F', 'DOS', 'Mac', 'Unix']) {
    const value = await valueOf(document, entries.get(key))
    if (value?.kind === 'string') names.push(decodeText(stringBytes(value.raw)).slice(-MAX_NAME))
  }
  return names
}

/** Null: it cannot be read. */
async function valueOf(document: PdfDocument, value: PdfValue | undefined): Promise<PdfValue | null> {
  try {
    return await document.resolve(value)
  } catch (error) {
    if (isDamage(error)) return null
    throw error
  }
}

/** §9.9: a Type 3 font is its own programme, a Type 0 font has that of its descendant. */
async function fontTrait(document: PdfDocument, { entries }: PdfDictionary, found: TraitCollection): Promise<void> {
  if (!entries.has('BaseFont') || (await nameOf(document, entries.get('Type'))) !== 'Font') return
  const kind = await nameOf(document, entries.get('Subtype'))
  if (kind === null || !WITH_PROGRAMME.has(kind)) return
  const descriptor = await dictionaryOf(document, entries.get('FontDescriptor'))
  if (PROGRAMMES.some((key) => descriptor?.entries.has(key) === true)) return
  found.add('font', ((await nameOf(document, entries.get('BaseFont'))) ?? '').slice(0, MAX_NAME))
}

const ACTIONS: ReadonlyMap<string, PdfTrait> = new Map([
  ['JavaScript', 'script'],
  ['Launch', 'launch'],
  ['SubmitForm', 'external'],
  ['ImportData', 'external'],
  ['GoToR', 'external'],
  ['GoToE', 'external'],
  ['Movie', 'multimedia'],
  ['Sound', 'multimedia'],
  ['Rendition', 'multimedia'],
  ['RichMediaExecute', 'multimedia'],
])
const MULTIMEDIA: ReadonlySet<string> = new Set(['Movie', 'Sound', 'Screen', 'RichMedia', '3D'])
const WITH_PROGRAMME: ReadonlySet<string> = new Set(['Type1', 'MMType1', 'TrueType', 'CIDFontType0', 'CIDFontType2'])
const PROGRAMMES = ['FontFile', 'FontFile2', 'FontFile3']
const MAX_PLACES = 5
const MAX_NAME = 100
