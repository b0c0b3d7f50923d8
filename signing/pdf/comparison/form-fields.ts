/**
 * Compares the fields of the form with their widgets (ISO 32000-2 §12.7.4): values may be filled in, signature fields
 * may come, everything else stays.
 */
import { decodeText } from '../fields.ts'
import type { Field } from '../fields.ts'
import type { PdfDictionary, PdfValue } from '../values.ts'
import { stringBytes, wholeNumber } from '../values.ts'
import { runsSomething } from './annotations.ts'
import { canCover, showsText } from './appearance.ts'
import type { ChangeKind } from './change.ts'
import type { Comparison } from './comparison.ts'
import { keysOf } from './dictionaries.ts'
import { dictionaryOf, itemsOf, nameOf } from './objects.ts'

export async function compareFields(comparison: Comparison): Promise<void> {
  const { fieldsBefore, fieldsAfter, leadsToChange, compareApart, report } = comparison
  const namesBefore = new Set([...fieldsBefore.values()].map(({ name }) => name))
  for (const [number, field] of fieldsAfter) {
    const old = fieldsBefore.get(number)
    if (old === undefined) {
      await addedField(comparison, number, { field, isNameTaken: namesBefore.has(field.name) })
    } else if (leadsToChange.has(number)) {
      compareApart(number)
      await changedField(comparison, number, { old, now: field })
    } else reportMove(comparison, number, { old, now: field })
  }
  for (const [number, { name }] of fieldsBefore) {
    if (!fieldsAfter.has(number)) report({ kind: 'forbidden', place: `field object ${number} is gone`, field: name })
  }
}

async function addedField(
  comparison: Comparison,
  number: number,
  { field, isNameTaken }: { field: Field; isNameTaken: boolean },
): Promise<void> {
  const { after, report } = comparison
  const { dictionary, type, name } = field
  const place = `field object ${number} was added`
  const isBranch = type === null && !dictionary.entries.has('V') && dictionary.entries.has('Kids')
  const isOwn = type === 'Sig' && !(await runsSomething(after, dictionary))
  if (!isBranch && (!isOwn || (isNameTaken && !(await isOfNewSignature(comparison, field))))) {
    report({ kind: 'forbidden', place, field: name })
    return
  }
  if (isBranch) return
  const canBeSeen = dictionary.entries.has('Rect')
  const covering = canBeSeen && (await canCover(after, dictionary))
  const isIdle = canBeSeen && (await coversIdly(comparison, dictionary))
  const kind = isIdle ? 'annotation' : await signatureKind(comparison, dictionary)
  report({ kind, place, field: name, canCover: covering })
}

/** A widget below a signature field that is new as well has its name. */
function isOfNewSignature({ fieldsBefore, fieldsAfter }: Comparison, { parent }: Field): Promise<boolean> {
  const above = parent === null ? undefined : fieldsAfter.get(parent.number)
  return Promise.resolve(above?.type === 'Sig' && !fieldsBefore.has(parent?.number ?? -1))
}

async function signatureKind({ after }: Comparison, field: PdfDictionary): Promise<ChangeKind> {
  const value = await dictionaryOf(after, field.entries.get('V'))
  if (value === null) return 'signature'
  return (await nameOf(after, value.entries.get('SubFilter'))) === 'ETSI.RFC3161' ? 'timestamp' : 'signature'
}

/** A field that nobody signed in, and one of a time-stamp, have nothing to show: what they paint is like a comment. */
async function coversIdly({ after }: Comparison, field: PdfDictionary): Promise<boolean> {
  const value = await dictionaryOf(after, field.entries.get('V'))
  const isSigned = value !== null && (await nameOf(after, value.entries.get('SubFilter'))) !== 'ETSI.RFC3161'
  return !isSigned && (await canCover(after, field))
}

interface Pair {
  old: Field
  now: Field
}

async function changedField(comparison: Comparison, number: number, pair: Pair): Promise<void> {
  const { same, report } = comparison
  const { old, now } = pair
  reportMove(comparison, number, pair)
  const isFilled = await isFilledBefore(comparison, old)
  const isSignature = old.type === 'Sig'
  const kindOf = isSignature ? await signatureRule(comparison, pair) : await valueRule(comparison, pair)
  for (const key of keysOf(old.dictionary, now.dictionary)) {
    const [a, b] = [old.dictionary.entries.get(key), now.dictionary.entries.get(key)]
    if (LINKS.has(key) || (await same(a, b))) continue
    const kind = kindOf(key, a, b)
    const place = `field object ${number} /${key}`
    if (key === 'AP' && isSignature && kind !== 'forbidden' && (await coversIdly(comparison, now.dictionary))) {
      report({ kind: 'annotation', place, field: old.name, canCover: true })
      continue
    }
    const isPlaced = key === 'Rect' && kind !== 'forbidden' && (await canCover(comparison.after, now.dictionary))
    report({ kind, place, field: old.name, isReplaced: isFilled && kind === 'form', canCover: isPlaced })
  }
}

function reportMove({ report }: Comparison, number: number, { old, now }: Pair): void {
  if (old.name === now.name && old.type === now.type && old.parent?.number === now.parent?.number) return
  report({ kind: 'forbidden', place: `field object ${number} hangs elsewhere`, field: old.name })
}

type Rule = (key: string, old: PdfValue | undefined, now: PdfValue | undefined) => ChangeKind

/** An empty signature field may be signed, with all that belongs to it; a signed one stays as it is. */
async function signatureRule(comparison: Comparison, { old, now }: Pair): Promise<Rule> {
  const { before } = comparison
  const isSigned =
    (await dictionaryOf(before, old.dictionary.entries.get('V'))) !== null || (await isSignedAbove(comparison, old))
  const kind = await signatureKind(comparison, now.dictionary)
  return (key, a, b) => {
    if (key === 'F') return addsHarmlessFlags(a, b, WIDGET_FLAGS) ? kind : 'forbidden'
    if (key === 'Ff') return addsHarmlessFlags(a, b, READ_ONLY) ? kind : 'forbidden'
    if (key === 'Rect') return a === undefined && !isSigned ? kind : 'forbidden'
    return !isSigned && SIGNING.has(key) ? kind : 'forbidden'
  }
}

async function isSignedAbove({ before, fieldsBefore }: Comparison, { parent }: Field): Promise<boolean> {
  const above = parent === null ? undefined : fieldsBefore.get(parent.number)
  return above !== undefined && (await dictionaryOf(before, above.dictionary.entries.get('V'))) !== null
}

async function valueRule({ before }: Comparison, { old }: Pair): Promise<Rule> {
  const flags = wholeNumber(await before.resolve(old.dictionary.entries.get('Ff'))) ?? 0
  const isPushButton = old.type === 'Btn' && (flags & PUSH_BUTTON) !== 0
  return (key, a, b) => {
    if (isPushButton) return 'forbidden'
    if (key === 'Ff') return addsHarmlessFlags(a, b, READ_ONLY) ? 'form' : 'forbidden'
    if (key === 'F') return addsHarmlessFlags(a, b, WIDGET_FLAGS) ? 'form' : 'forbidden'
    return FILLING.has(key) ? 'form' : 'forbidden'
  }
}

/** Was there a value already that whoever signed could see? */
async function isFilledBefore({ before, fieldsBefore }: Comparison, field: Field): Promise<boolean> {
  for (let node: Field | undefined = field, depth = 0; node !== undefined && depth < MAX_DEPTH; depth++) {
    const value = node.dictionary.entries.get('V')
    if (value !== undefined && !(await isEmptyValue(before, value))) return true
    node = node.parent === null ? undefined : fieldsBefore.get(node.parent.number)
  }
  const state = await nameOf(before, field.dictionary.entries.get('AS'))
  return (state !== null && state !== 'Off') || (field.type === 'Tx' && (await showsText(before, field.dictionary)))
}

async function isEmptyValue(document: Comparison['before'], value: PdfValue): Promise<boolean> {
  const found = value.kind === 'reference' ? await document.resolve(value) : value
  if (found.kind === 'string') return decodeText(stringBytes(found.raw)).trim() === ''
  if (found.kind === 'array') return (await itemsOf(document, found)).length === 0
  return found.kind === 'null' || (found.kind === 'name' && found.value === 'Off')
}

/** Only bits of `allowed` were set, none was cleared. */
function addsHarmlessFlags(old: PdfValue | undefined, now: PdfValue | undefined, allowed: number): boolean {
  const [a, b] = [wholeNumber(old) ?? 0, wholeNumber(now) ?? 0]
  return (a & ~b) === 0 && (b & ~a & ~allowed) === 0
}

const MAX_DEPTH = 32
const LINKS: ReadonlySet<string> = new Set(['Kids', 'Parent', 'P'])
const FILLING: ReadonlySet<string> = new Set(['V', 'AS', 'AP', 'RV', 'I', 'DA', 'Q', 'M'])
const SIGNING: ReadonlySet<string> = new Set([
  'V',
  'AP',
  'AS',
  'DA',
  'MK',
  'M',
  'Lock',
  'Type',
  'Subtype',
  'BS',
  'Border',
])
const READ_ONLY = 1
const PUSH_BUTTON = 1 << 16
/** print, read only, locked, locked contents (table 167) */
const WIDGET_FLAGS = 4 | 64 | 128 | 512
