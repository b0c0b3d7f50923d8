/**
 * Facts about a document of any kind: finds the reader, and turns what it cannot read into facts too.
 *
 * A file that looks signed and cannot be read is a broken signature, never "unsigned".
 */
import { readAsicFacts } from '../asic/facts.ts'
import { readCmsFacts } from '../cms/document.ts'
import { SigningError } from '../errors.ts'
import type { SigningErrorCode } from '../errors.ts'
import { readPdfFacts } from '../pdf/facts.ts'
import type { RandomAccess } from '../random-access.ts'
import { readXadesFacts } from '../xades/document.ts'
import { detectKind } from './detect.ts'
import type { DocumentKind } from './detect.ts'
import type { DocumentFacts, DocumentFormat, SignatureFacts } from './facts.ts'
import { endsAsZip, pdfHeaderIn, secondKind } from './second-kind.ts'
import { unreadableSignature } from './unreadable-signature.ts'

export interface ReadOptions {
  /** opens an encrypted PDF; null: none is known */
  password: string | null
  /** data beside a signature, by the name in it; the name is empty where a signature names nothing (CMS) */
  detached: (name: string) => RandomAccess | null
  /** parts of signatures lie in the bytes */
  looksSigned: boolean
}

/**
 * @throws SigningError `signing/pdf-encrypted` when a password is needed or another one,
 *   `signing/source-changed`; what is in the document never throws
 */
export async function readFacts(source: RandomAccess, options: ReadOptions): Promise<DocumentFacts> {
  const kind = await detectKind(source)
  if (kind === 'unknown') return unreadable(source, kind, options)
  if (kind !== 'pdf' && kind !== 'zip' && source.size > MAX_IN_MEMORY) return unreadable(source, kind, options)
  try {
    return await withSecondKind(await withTraces(await readKind(source, kind, options), source, options), source, kind)
  } catch (error) {
    if (!(error instanceof SigningError) || NOT_OF_THE_DOCUMENT.has(error.code)) throw error
    return unreadable(source, kind, options)
  }
}

async function readKind(
  source: RandomAccess,
  kind: Exclude<DocumentKind, 'unknown'>,
  { password, detached }: ReadOptions,
): Promise<DocumentFacts> {
  switch (kind) {
    case 'pdf':
      return readPdfFacts(source, password === null ? {} : { password })
    case 'zip':
      return readAsicFacts(source)
    case 'xml':
      return readXadesFacts(await source.read(0, source.size), detached)
    case 'cms':
      return readCmsFacts(unarmour(await source.read(0, source.size)), detached(''))
  }
}

/** Where the reader found no signature, but an unclean document with parts of one, the signature is broken. */
async function withTraces(
  facts: DocumentFacts,
  source: RandomAccess,
  { looksSigned }: ReadOptions,
): Promise<DocumentFacts> {
  const isEmpty = facts.signatures.length === 0 && facts.timestamps.length === 0
  const isUnclean = facts.findings.some(({ severity }) => severity === 'unclean')
  if (!isEmpty || !isUnclean || !looksSigned) return facts
  return { ...facts, signatures: [await brokenSignature(source, facts.format === 'pdf' ? 'PAdES' : 'XAdES')] }
}

/** What of a CMS object or an archive may begin as a PDF, its own reader knows. */
async function withSecondKind(facts: DocumentFacts, source: RandomAccess, kind: DocumentKind): Promise<DocumentFacts> {
  const start = kind === 'xml' ? await source.read(0, Math.min(source.size, HEAD_BYTES)) : Buffer.alloc(0)
  const others = [
    ...(pdfHeaderIn(start) === null ? [] : [secondKind('PDF')]),
    ...(kind !== 'zip' && (await endsAsZip(source)) ? [secondKind('ZIP')] : []),
  ]
  return others.length === 0 ? facts : { ...facts, findings: [...facts.findings, ...others] }
}

async function brokenSignature(source: RandomAccess, form: SignatureFacts['form']): Promise<SignatureFacts> {
  const head = await source.read(0, Math.min(source.size, HEAD_BYTES))
  const fault = { code: 'format', detail: 'it looks signed and cannot be read' } as const
  return unreadableSignature({ id: 'S1', form, name: '' }, head, fault)
}

async function unreadable(
  source: RandomAccess,
  kind: DocumentKind,
  { looksSigned }: ReadOptions,
): Promise<DocumentFacts> {
  const none = { certificates: [], crls: [], ocsps: [] }
  const { format, form } = WORDS[kind]
  const isPlain = kind === 'unknown' && !looksSigned
  const base: DocumentFacts = { format, signatures: [], timestamps: [], evidence: none, findings: [] }
  if (isPlain) return base
  if (!looksSigned) return { ...base, findings: [{ severity: 'unclean', code: 'unreadable', detail: '' }] }
  return { ...base, signatures: [await brokenSignature(source, form)] }
}

/** RFC 7468: DER in Base64 between two lines, and what follows them; bytes that are no such text are returned as they are. */
function unarmour(bytes: Buffer): Buffer {
  if (bytes[0] === 0x30) return bytes
  const text = bytes.toString('latin1')
  const match = /^-----BEGIN (PKCS7|CMS)-----([A-Za-z0-9+/=\s]*)-----END \1-----/.exec(text)
  if (match === null) return bytes
  const rest = text.slice(match[0].length).trim()
  return Buffer.concat([Buffer.from(match[2] ?? '', 'base64'), Buffer.from(rest, 'latin1')])
}

const WORDS: Readonly<Record<DocumentKind, { format: DocumentFormat; form: SignatureFacts['form'] }>> = {
  pdf: { format: 'pdf', form: 'PAdES' },
  zip: { format: 'zip', form: 'XAdES' },
  xml: { format: 'xml', form: 'XAdES' },
  cms: { format: 'cms', form: 'CAdES' },
  unknown: { format: 'unknown', form: 'CAdES' },
}
/** these are for the caller: the password is missing or wrong, or the source failed */
const NOT_OF_THE_DOCUMENT: ReadonlySet<SigningErrorCode> = new Set<SigningErrorCode>([
  'signing/pdf-encrypted',
  'signing/source-changed',
])
const MAX_IN_MEMORY = 64 * 1024 * 1024
const HEAD_BYTES = 4096
