/** Which form a signature takes, and how it is made and lifted: the one place that knows all of them. */
import path from 'node:path'
import { CliError } from './errors.ts'
import type { SealLevel } from '../gateway/index.ts'
import {
  extendAsic,
  extendCades,
  extendPdf,
  extendXades,
  piecesOf,
  sealPdf,
  signAsic,
  signCades,
  signXadesEnveloped,
} from '../signing/index.ts'
import type { AdesLevel, LevelSources, RandomAccess, SigningKey } from '../signing/index.ts'

/** pades: in the PDF · cades: beside or around the file (.p7s, .p7m) · xades: in the XML document · asic: a container */
export const FORMS = ['pades', 'cades', 'cades-attached', 'xades', 'asic-e', 'asic-s'] as const
export type Form = (typeof FORMS)[number]

export interface NamedFile {
  name: string
  content: RandomAccess
}

export type Result = Buffer | AsyncIterable<Buffer>

/** Level B-B; `liftSignatures` does the rest. @throws CliError `cli/usage` the form takes one file; SigningError of the form */
export async function signFiles(
  files: readonly [NamedFile, ...NamedFile[]],
  form: Form,
  { key, signedAt }: { key: SigningKey; signedAt: Date },
): Promise<Result> {
  const [{ content }] = files
  if (form === 'asic-e' || form === 'asic-s') return piecesOf(await signContainer(files, form, { key, signedAt }))
  if (files.length > 1)
    throw new CliError('cli/usage', 'sign several files one by one, or as --form asic-e; courts accept the former only')
  switch (form) {
    case 'pades':
      return (await sealPdf(content, key, { signedAt })).bytes
    case 'cades':
      return signCades(content, key, { signedAt, form: 'detached' })
    case 'cades-attached':
      return signCades(content, key, { signedAt, form: 'attached' })
    case 'xades':
      return signXadesEnveloped(await whole(content), key, { signedAt })
  }
}

function signContainer(
  files: readonly NamedFile[],
  container: 'asic-e' | 'asic-s',
  { key, signedAt }: { key: SigningKey; signedAt: Date },
): Promise<RandomAccess> {
  const named = files.map(({ name, content }) => ({ name, content, mimeType: mediaType(name) }))
  return signAsic(named, key, { container, signedAt })
}

/** Lifts all signatures in `document`; B-LTA again renews the archive time-stamp. `content`: of a detached signature. */
export async function liftSignatures(
  document: RandomAccess,
  content: RandomAccess | null,
  { level, sources, now }: { level: AdesLevel; sources: LevelSources; now: Date },
): Promise<Result> {
  switch (await kindOf(document)) {
    case 'pdf':
      return (await extendPdf(document, level, sources)).bytes
    case 'zip':
      return piecesOf(await extendAsic(document, level, sources, now))
    case 'xml':
      return extendXades(await whole(document), () => content, level, sources)
    case 'cms':
      return extendCades(await whole(document), content, level, sources)
  }
}

/** By the names, where nobody says it: what is written may be a signature file or a container; else PDF and XML are signed inside. */
export function usualForm(name: string, out: string): Form {
  return FORM_OF_OUTPUT[path.extname(out).toLowerCase()] ?? USUAL_FORM[path.extname(name).toLowerCase()] ?? 'cades'
}

/** What is reached must be said: a level that needs an authority is none without. */
export function isLifted(level: SealLevel): level is AdesLevel {
  return level !== 'B-B'
}

async function kindOf(document: RandomAccess): Promise<'pdf' | 'zip' | 'xml' | 'cms'> {
  const start = (await document.read(0, Math.min(1024, document.size))).toString('latin1')
  if (start.includes('%PDF-')) return 'pdf'
  if (start.startsWith('PK')) return 'zip'
  return /^(?:\xef\xbb\xbf)?\s*</.test(start) ? 'xml' : 'cms'
}

async function whole(content: RandomAccess): Promise<Buffer> {
  if (content.size > MAX_WHOLE_BYTES)
    throw new CliError('cli/usage', 'a document of this form has at most 64 MiB; sign it with --form cades')
  return content.read(0, content.size)
}

function mediaType(name: string): string {
  return MEDIA_TYPES[path.extname(name).toLowerCase()] ?? 'application/octet-stream'
}

const FORM_OF_OUTPUT: Readonly<Record<string, Form>> = {
  '.p7s': 'cades',
  '.p7m': 'cades-attached',
  '.asice': 'asic-e',
  '.asics': 'asic-s',
}
const USUAL_FORM: Readonly<Record<string, Form>> = { '.pdf': 'pades', '.xml': 'xades' }
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.pdf': 'application/pdf',
  '.xml': 'application/xml',
  '.txt': 'text/plain',
  '.json': 'application/json',
}
const MAX_WHOLE_BYTES = 64 * 1024 * 1024
