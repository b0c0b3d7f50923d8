/**
 * Changed objects of a document, collected so that a second change to the same object builds on the first.
 */
import type { PdfDocument } from './document.ts'
import type { NewObject } from './incremental-update.ts'
import { array, damaged, withEntry } from './values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from './values.ts'

export interface Changes {
  set(to: PdfReference, value: PdfValue): void
  /** The dictionary as it will be; `original` when it has not changed. */
  current(of: PdfReference, original: PdfDictionary): PdfDictionary
  /**
   * Appends `item` to the array at `key` of `owner`. An array that is an object of its own is changed there, and
   * `owner` comes back as it was; else a new owner comes back. An array that already has the item (form and page may
   * share one) stays as it is.
   *
   * @throws SigningError `signing/pdf-damaged` something else than an array is there
   */
  append(owner: PdfDictionary, key: string, item: PdfReference): Promise<PdfDictionary>
  objects(): NewObject[]
}

export function createChanges(document: PdfDocument): Changes {
  const changed = new Map<number, { reference: PdfReference; value: PdfValue }>()

  function current(of: PdfReference, original: PdfDictionary): PdfDictionary {
    const value = changed.get(of.number)?.value ?? original
    if (value.kind !== 'dictionary') throw damaged('one object is used as an array and as a dictionary')
    return value
  }

  async function append(owner: PdfDictionary, key: string, item: PdfReference): Promise<PdfDictionary> {
    const entry = owner.entries.get(key)
    const own = entry?.kind === 'reference' ? changed.get(entry.number)?.value : undefined
    const existing = own ?? (await document.resolve(entry))
    if (existing.kind !== 'array' && existing.kind !== 'null') throw damaged(`/${key} is no array`)
    const items = existing.kind === 'array' ? existing.items : []
    if (items.some((other) => other.kind === 'reference' && other.number === item.number)) return owner
    const next = array(...items, item)
    if (entry?.kind !== 'reference' || existing.kind === 'null') return withEntry(owner, key, next)
    changed.set(entry.number, { reference: entry, value: next })
    return owner
  }

  return {
    set: (to, value) => void changed.set(to.number, { reference: to, value }),
    current,
    append,
    objects: () =>
      [...changed.values()].map(({ reference: { number, generation }, value }) => ({ number, generation, value })),
  }
}
