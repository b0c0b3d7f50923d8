/**
 * Gathers the facts of a filing: looks into every file and has its signatures validated. The only part of the check that
 * waits. One file after the other, so that memory does not grow with their size.
 */
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import { nameKey } from '../../policies/index.ts'
import { readBytes } from '../validation/detect.ts'
import type { ValidationReport } from '../validation/report.ts'
import type { FileFacts, FileRole, FilingFacts, FilingSignature, SecureWay } from './facts.ts'
import { digestsIn } from './digest-list.ts'
import { kindOf } from './file-kind.ts'
import type { FileKind } from './file-kind.ts'
import { pairSignatures } from './pairing.ts'
import { readPdfContent } from './pdf-content.ts'
import { signaturesIn } from './signature-facts.ts'

export interface FilingFile {
  /** as the court would get it, without folders */
  name: string
  role: FileRole
  source: RandomAccess
}

/** The validation as the caller does it. `detached`: data beside a signature, by its name; '' where none is named. */
export type ValidateFile = (
  document: RandomAccess,
  detached: (name: string) => RandomAccess | null,
) => Promise<ValidationReport>

export interface GatherOptions {
  secureWay: SecureWay
  validate: ValidateFile
}

/** @throws SigningError `signing/source-changed`, and what `validate` throws; what is in the files never throws */
export async function gatherFiling(
  files: readonly FilingFile[],
  { secureWay, validate }: GatherOptions,
): Promise<FilingFacts> {
  const facts: OpenFacts[] = []
  for (const file of files) facts.push(await factsOf(files, file, validate))
  const named = facts.map(({ name, kind }) => ({ name, isSignature: SIGNATURES.has(kind) }))
  for (const [index, candidates] of pairSignatures(named)) {
    const [file, own] = [files[index], facts[index]]
    if (file !== undefined && own !== undefined) await assign(own, file, { files, facts, candidates, validate })
  }
  for (const own of facts) if (own.kind === 'xml' && own.over !== null) give(own, facts[own.over])
  for (const [index, own] of facts.entries()) {
    const file = files[index]
    if (file === undefined || own.signatures.length === 0 || !LISTS.has(own.kind)) continue
    const others = new Set(facts.map(({ sha256 }) => sha256).filter((sha256) => sha256 !== own.sha256))
    own.namesOthers = Math.max(own.namesOthers, await digestsIn(file.source, others))
  }
  return { secureWay, files: facts }
}

type OpenFacts = FileFacts & { signatures: FilingSignature[] }

async function factsOf(
  files: readonly FilingFile[],
  { name, role, source }: FilingFile,
  validate: ValidateFile,
): Promise<OpenFacts> {
  const kind = await kindOf(name, source)
  const asked = new Set<number>()
  const beside = (wanted: string): RandomAccess | null => {
    const index = files.findIndex((file) => file.source !== source && nameKey(file.name) === nameKey(decoded(wanted)))
    if (index >= 0) asked.add(index)
    return files[index]?.source ?? null
  }
  const report = WITH_OWN.has(kind) ? await validated(() => validate(source, beside)) : null
  return {
    name,
    role,
    sizeBytes: source.size,
    sha256: report?.document.sha256 ?? (await readBytes(source)).sha256,
    kind,
    pdf: kind === 'pdf' ? await readPdfContent(source) : null,
    signatures: report === null ? [] : signaturesIn(report, name, false),
    over: kind === 'xml' && asked.size === 1 ? ([...asked][0] ?? null) : null,
    isReadable: true,
    isSecondKind: report?.findings.some(({ code }) => code === 'second-kind') ?? false,
    namesOthers: asked.size,
  }
}

interface Filing {
  files: readonly FilingFile[]
  facts: readonly OpenFacts[]
  candidates: readonly number[]
  validate: ValidateFile
}

/**
 * Gives the signatures of a signature file to the candidate whose digest they have; where they fit none, the likeliest is
 * meant, and is not what was signed.
 */
async function assign(
  own: OpenFacts,
  { name, source }: FilingFile,
  { files, facts, candidates, validate }: Filing,
): Promise<void> {
  let chosen: { over: number | null; signatures: FilingSignature[] } | null = null
  for (const over of candidates.length === 0 ? [null] : candidates) {
    const content = over === null ? null : (files[over]?.source ?? null)
    const report = await validate(source, () => content)
    const signatures = signaturesIn(report, name, own.kind === 'enveloping')
    const isFitting = signatures.some(({ subIndication }) => subIndication !== 'HASH_FAILURE')
    if (isFitting || chosen === null) chosen = { over, signatures }
    if (isFitting) break
  }
  const { over, signatures } = chosen ?? { over: null, signatures: [] }
  own.isReadable = signatures.length > 0
  own.over = over
  own.signatures.push(...signatures)
  if (over !== null) give(own, facts[over])
}

/** Signatures belong to what they are over. */
function give(from: OpenFacts, to: OpenFacts | undefined): void {
  to?.signatures.push(...from.signatures.splice(0))
}

/** Null: it cannot be opened without a password, and the court could not either. */
async function validated(validate: () => Promise<ValidationReport>): Promise<ValidationReport | null> {
  try {
    return await validate()
  } catch (error) {
    if (error instanceof SigningError && error.code === 'signing/pdf-encrypted') return null
    throw error
  }
}

function decoded(uri: string): string {
  try {
    return decodeURIComponent(uri.replace(/^\.\//, ''))
  } catch {
    return uri
  }
}

const SIGNATURES: ReadonlySet<FileKind> = new Set(['signature', 'enveloping'])
/** may have signatures inside */
const WITH_OWN: ReadonlySet<FileKind> = new Set(['pdf', 'archive', 'office', 'xml'])
const LISTS: ReadonlySet<FileKind> = new Set(['xml', 'other'])
