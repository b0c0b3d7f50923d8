/**
 * What is inside a PDF that courts do not take: protection, active content, what is not in the file itself
 * (ISO 32000-2 §7.6, §7.11, §9.9, §12.6; ERVB Nr. 1).
 *
 * Every object that the newest revision leads to is looked at, wherever it hangs: names, pages, annotations, fields. What
 * nothing leads to, no viewer executes. Nothing is decompressed except the structure; nothing is executed.
 */
import { SigningError } from '../errors.ts'
import { dictionaryOf, nameOf } from '../pdf/comparison/objects.ts'
import { walkReached } from '../pdf/comparison/walk.ts'
import type { PdfDocument } from '../pdf/document.ts'
import type { Encryption } from '../pdf/encryption/encryption.ts'
import { readRevisions } from '../pdf/revisions/revisions.ts'
import { scanForTraces } from '../pdf/revisions/scan.ts'
import type { RandomAccess } from '../random-access.ts'
import { collectTraits, traitsIn } from './pdf-traits.ts'
import type { PdfTraits } from './pdf-traits.ts'

export type PdfContent =
  | {
      kind: 'read'
      /** `1.7`; empty: none is named */
      version: string
      /** `encrypted`: everybody may open it and do everything */
      protection: 'none' | 'encrypted' | 'restricted'
      traits: PdfTraits
      /** objects that are there and cannot be read; a program that repairs them may find something in them */
      unreadableObjects: number
    }
  | { kind: 'locked' }
  | { kind: 'damaged' | 'too-complex'; reason: string }

/**
 * Never throws for what is in the document; the work is that of comparing its revisions at most (pdf/budget.ts).
 *
 * @throws SigningError `signing/source-changed`
 */
export async function readPdfContent(source: RandomAccess): Promise<PdfContent> {
  try {
    const { lastStart } = await scanForTraces(source)
    const { newest } = await readRevisions(source, lastStart, {})
    return await contentOf(newest.document)
  } catch (error) {
    if (!(error instanceof SigningError)) throw error
    return unread(error)
  }
}

function unread(error: SigningError): PdfContent {
  if (error.code === 'signing/pdf-encrypted') return { kind: 'locked' }
  if (error.code === 'signing/pdf-too-complex') return { kind: 'too-complex', reason: error.message }
  if (DAMAGE.has(error.code)) return { kind: 'damaged', reason: error.message }
  throw error
}

async function contentOf(document: PdfDocument): Promise<PdfContent> {
  const found = collectTraits()
  let unreadableObjects = 0
  await traitsIn(document, { number: 0, value: document.trailer, isStream: false }, found)
  await walkReached(document, async ({ number, object }) => {
    if (object.isDamaged) unreadableObjects++
    await traitsIn(document, { number, value: object.value, isStream: object.stream !== null }, found)
  })
  const catalog = await dictionaryOf(document, document.trailer.entries.get('Root'))
  const form = await dictionaryOf(document, catalog?.entries.get('AcroForm'))
  const rendering = catalog?.entries.get('NeedsRendering')
  const isDynamic = rendering?.kind === 'boolean' && rendering.value
  if (isDynamic || form?.entries.has('XFA') === true) found.add('xfa', '')
  return {
    kind: 'read',
    version: await versionOf(document, await nameOf(document, catalog?.entries.get('Version'))),
    protection: protectionOf(document.encryption),
    traits: found.traits,
    unreadableObjects,
  }
}

/** §7.5.2, §7.7.2: the header, unless the catalog names a later one. */
async function versionOf({ source }: PdfDocument, later: string | null): Promise<string> {
  const head = (await source.read(0, Math.min(HEADER_BYTES, source.size))).toString('latin1')
  const header = /%PDF-(\d\.\d)(?!\d)/.exec(head)?.[1] ?? ''
  return later !== null && later > header ? later.slice(0, MAX_VERSION) : header
}

function protectionOf(encryption: Encryption | null): 'none' | 'encrypted' | 'restricted' {
  if (encryption === null) return 'none'
  const allowsAll = (encryption.permissions & ALL_PERMISSIONS) === ALL_PERMISSIONS
  return allowsAll && encryption.permissionsAreGenuine ? 'encrypted' : 'restricted'
}

const DAMAGE: ReadonlySet<string> = new Set(['signing/not-a-pdf', 'signing/pdf-damaged', 'signing/pdf-unsupported'])
/** §7.6.4.2, table 22: bits 3 to 6 and 9 to 12 */
const ALL_PERMISSIONS = 0b1111_0011_1100
const HEADER_BYTES = 1024 + 16
const MAX_VERSION = 16
