/**
 * The document security store: certificates, OCSP answers and CRLs in the PDF itself (EN 319 142-1 §5.4.2,
 * ISO 32000-2 §12.8.4.3). Read, and filled by an incremental update; what is in it stays.
 */
import type { Evidence } from '../trust/revocation/verdict.ts'
import { createChanges } from './changes.ts'
import type { PdfDocument } from './document.ts'
import { listAt } from './fields.ts'
import { readForm } from './form.ts'
import { composeUpdate } from './incremental-update.ts'
import type { NewObject } from './incremental-update.ts'
import { checkPermissions } from './locks.ts'
import { readStream } from './streams.ts'
import { dictionary, name, reference, withEntry } from './values.ts'
import type { PdfDictionary } from './values.ts'

/**
 * What the store holds; empty when there is none. /VRI is not looked at: it is an index without authority.
 *
 * @throws SigningError as openDocument
 */
export async function readSecurityStore(document: PdfDocument): Promise<Evidence> {
  const { catalog } = await readForm(document)
  const store = await document.resolve(catalog.dictionary.entries.get('DSS'))
  if (store.kind !== 'dictionary') return { certificates: [], crls: [], ocsps: [] }
  return {
    certificates: await readAll(document, store, KEYS.certificates),
    crls: await readAll(document, store, KEYS.crls),
    ocsps: await readAll(document, store, KEYS.ocsps),
  }
}

/**
 * The update that adds to the store what it does not hold yet.
 *
 * @returns to be appended to the document; null when nothing is new
 * @throws SigningError as openDocument
 */
export async function planSecurityStore(document: PdfDocument, evidence: Evidence): Promise<Buffer | null> {
  checkPermissions(document, 'evidence')
  const present = await readSecurityStore(document)
  const { catalog } = await readForm(document)
  const changes = createChanges(document)
  const entry = catalog.dictionary.entries.get('DSS')
  const existing = await document.resolve(entry)
  let store: PdfDictionary = existing.kind === 'dictionary' ? existing : dictionary({ Type: name('DSS') })
  const before = store
  const streams: NewObject[] = []
  for (const kind of ['certificates', 'ocsps', 'crls'] as const) {
    for (const bytes of missing(evidence[kind], present[kind])) {
      const added = reference(document.nextNumber + streams.length)
      streams.push({ ...added, value: dictionary({}), data: bytes })
      store = await changes.append(store, KEYS[kind], added)
    }
  }
  if (streams.length === 0) return null
  if (existing.kind === 'dictionary' && entry?.kind === 'reference') {
    if (store !== before) changes.set(entry, store)
  } else if (store !== before) {
    changes.set(catalog.reference, withEntry(catalog.dictionary, 'DSS', store))
  }
  return (await composeUpdate(document, [...changes.objects(), ...streams])).bytes
}

async function readAll(document: PdfDocument, store: PdfDictionary, key: string): Promise<Buffer[]> {
  const items = await listAt(document, store, key)
  document.budget.spendSteps(items.length)
  const found: Buffer[] = []
  for (const item of items) if (item.kind === 'reference') found.push(await readStream(document, item))
  return found
}

function missing(wanted: readonly Buffer[], present: readonly Buffer[]): Buffer[] {
  const known = new Set(present.map((bytes) => bytes.toString('latin1')))
  return wanted.filter((bytes) => !known.has(bytes.toString('latin1')))
}

const KEYS = { certificates: 'Certs', ocsps: 'OCSPs', crls: 'CRLs' } as const
