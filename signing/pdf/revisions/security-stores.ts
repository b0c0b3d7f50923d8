/**
 * The document security store as each revision had it (ETSI EN 319 142-1 §5.4.2): evidence, and since when it is there.
 *
 * Reads leniently, because nothing here is trusted: what cannot be read is not there. /VRI is only another place to look.
 */
import type { CarriedObject } from '../../cms/carried.ts'
import type { PdfDocument } from '../document.ts'
import { listAt } from '../fields.ts'
import { readStream } from '../streams.ts'
import type { PdfDictionary, PdfValue } from '../values.ts'
import type { Revision, Revisions } from './revisions.ts'
import { isDamage, placeOf, writesAny } from './signature-sites.ts'

/** What a revision has in its store that none before it had. */
export interface StoreAddition {
  revision: Revision
  objects: CarriedObject[]
}

export async function readSecurityStores(revisions: Revisions): Promise<StoreAddition[]> {
  const known = new Set<string>()
  const additions: StoreAddition[] = []
  let touched: Set<number> | null = null
  for (const revision of revisions.all) {
    if (touched !== null && !writesAny(revision, touched)) continue
    touched = new Set()
    const objects: CarriedObject[] = []
    for (const { kind, value } of await itemsOf(revision.document, touched)) {
      if (value.kind !== 'reference' || revisions.budget.bytesLeft() <= 0) continue
      const place = `${kind} ${await placeOf(revision.document, value)}`
      if (known.has(place)) continue
      known.add(place)
      const bytes = await readable(() => readStream(revision.document, value), null)
      if (bytes === null) continue
      revision.document.budget.hold(bytes.length)
      objects.push({ kind, bytes })
    }
    additions.push({ revision, objects })
  }
  return additions
}

interface Item {
  kind: CarriedObject['kind']
  value: PdfValue
}

async function itemsOf(document: PdfDocument, touched: Set<number>): Promise<Item[]> {
  const resolve = async (value: PdfValue | undefined): Promise<PdfDictionary | null> => {
    if (value?.kind === 'reference') touched.add(value.number)
    const found = await readable(() => document.resolve(value), null)
    return found?.kind === 'dictionary' ? found : null
  }
  const catalog = await resolve(document.trailer.entries.get('Root'))
  const store = await resolve(catalog?.entries.get('DSS'))
  if (store === null) return []
  const items: Item[] = []
  await addItems(items, document, store, touched)
  const index = await resolve(store.entries.get('VRI'))
  for (const value of index?.entries.values() ?? []) {
    const entry = await resolve(value)
    if (entry === null) continue
    await addItems(items, document, entry, touched)
    const token = entry.entries.get('TS')
    if (token !== undefined) items.push({ kind: 'token', value: token })
  }
  return items
}

async function addItems(
  items: Item[],
  document: PdfDocument,
  holder: PdfDictionary,
  touched: Set<number>,
): Promise<void> {
  for (const [key, kind] of KEYS) {
    const entry = holder.entries.get(key)
    if (entry?.kind === 'reference') touched.add(entry.number)
    const list = await readable(() => listAt(document, holder, key), [])
    document.budget.spendSteps(list.length * ITEM_STEPS)
    for (const value of list) items.push({ kind, value })
  }
}

async function readable<T, F>(read: () => Promise<T>, otherwise: F): Promise<T | F> {
  try {
    return await read()
  } catch (error) {
    if (isDamage(error)) return otherwise
    throw error
  }
}

/** looking for one of them, which may not be there */
const ITEM_STEPS = 100
/** of the store and of the entries of /VRI */
const KEYS: readonly [string, CarriedObject['kind']][] = [
  ['Certs', 'certificate'],
  ['OCSPs', 'ocsp'],
  ['CRLs', 'crl'],
  ['Cert', 'certificate'],
  ['OCSP', 'ocsp'],
  ['CRL', 'crl'],
]
