/**
 * Pairs of dictionaries, and which of their keys mean something.
 */
import type { PdfDictionary, PdfValue } from '../values.ts'
import type { ChangeKind } from './change.ts'

export const EMPTY: PdfDictionary = { kind: 'dictionary', entries: new Map() }

/** The keys of both, each once. */
export function keysOf(a: PdfDictionary, b: PdfDictionary): Set<string> {
  return new Set([...a.entries.keys(), ...b.entries.keys()])
}

/**
 * A mark that a producer leaves under a key of its own says nothing about the document, unless it is more than a mark.
 */
export function privateKind(key: string, old: PdfValue | undefined, now: PdfValue | undefined): ChangeKind {
  const isMark = [old, now].every((value) => value === undefined || MARKS.has(value.kind))
  return isMark && !STANDARD.has(key) ? 'metadata' : 'forbidden'
}

const MARKS: ReadonlySet<string> = new Set(['string', 'number', 'name', 'boolean', 'null'])
/** of catalogs (table 29), pages (table 31) and page tree nodes (table 30) */
const STANDARD: ReadonlySet<string> = new Set(
  (
    'Type Version Extensions Pages PageLabels Names Dests ViewerPreferences PageLayout PageMode Outlines Threads ' +
    'OpenAction AA URI AcroForm Metadata StructTreeRoot MarkInfo Lang SpiderInfo OutputIntents PieceInfo OCProperties ' +
    'Perms Legal Requirements Collection NeedsRendering DSS AF DPartRoot Parent LastModified Resources MediaBox CropBox ' +
    'BleedBox TrimBox ArtBox BoxColorInfo Contents Rotate Group Thumb B Dur Trans Annots StructParents ID PZ ' +
    'SeparationInfo Tabs TemplateInstantiated PresSteps UserUnit VP DPart Kids Count'
  ).split(' '),
)
