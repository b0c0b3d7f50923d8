/**
 * Validates the signatures of a stored file, its detached signatures (.p7s) beside it in the room included.
 *
 * Asks nobody for permission; the caller has put `file.download` to policies `decide()`. Nothing is stored: a report is
 * made anew each time, because trust, revocation and time go on.
 */
import type { RandomAccess, ValidationReport } from '../signing/index.ts'
import type { File, FileVersion, RoomId, Storage } from '../storage/index.ts'
import { GatewayError } from './errors.ts'

/**
 * Judges one document; never throws for what is in it.
 *
 * @param content what a detached signature is over; null: the document carries what it signs
 */
export type Validate = (document: RandomAccess, content: RandomAccess | null) => Promise<ValidationReport>

/** A report, and the name of the file that holds the signatures. */
export interface FileReport {
  name: string
  report: ValidationReport
}

export interface FileValidation {
  file: File
  version: FileVersion
  /** of the file itself first, then of its detached signatures by name */
  reports: readonly [FileReport, ...FileReport[]]
}

/**
 * @param number of the version; null: the newest
 * @throws GatewayError `gateway/not-found` no such version, or erased; `gateway/file-not-released`
 */
export async function validateFile(
  { storage, validate }: { storage: Storage; validate: Validate },
  file: File,
  number: number | null,
): Promise<FileValidation> {
  const version = number === null ? file.current : await versionOf(storage, file, number)
  if (version.state === 'erased') throw new GatewayError('gateway/not-found')
  if (version.state === 'held') throw new GatewayError('gateway/file-not-released')
  const signed = await signedFileOf(storage, file)
  const own = await withContents(storage, [version, signed?.current ?? null], ([document, content]) =>
    validate(required(document), content ?? null),
  )
  const detached: FileReport[] = []
  for (const signature of await signaturesBeside(storage, file)) {
    const report = await withContents(storage, [signature.current, version], ([document, content]) =>
      validate(required(document), content ?? null),
    )
    detached.push({ name: signature.name, report })
  }
  return { file, version, reports: [{ name: file.name, report: own }, ...detached] }
}

async function versionOf(storage: Storage, file: File, number: number): Promise<FileVersion> {
  const version = (await storage.files.versions(file.id)).find((candidate) => candidate.number === number)
  if (version === undefined) throw new GatewayError('gateway/not-found')
  return version
}

/** For a signature file: what it signs. Both spellings are in use, `letter.pdf.p7s` and `letter.p7s`. */
async function signedFileOf(storage: Storage, { name, roomId }: File): Promise<File | null> {
  const stem = /^(.+)\.p7s$/i.exec(name)?.[1]
  if (stem === undefined) return null
  const exact = await storage.files.byName(roomId, stem)
  if (exact !== null) return released(exact)
  const others = await filesNamed(storage, roomId, (other) => other.startsWith(`${stem}.`) && !isSignature(other))
  const [only, ...more] = others
  // several candidates: nobody can know which is meant
  return only === undefined || more.length > 0 ? null : released(only)
}

async function signaturesBeside(storage: Storage, { name, roomId }: File): Promise<File[]> {
  if (isSignature(name)) return []
  const stem = name.replace(/\.[^.]+$/, '')
  const names = [`${name}.p7s`, ...(stem === name ? [] : [`${stem}.p7s`])]
  const found: File[] = []
  for (const candidate of names) {
    const file = await storage.files.byName(roomId, candidate)
    if (file !== null && released(file) !== null) found.push(file)
  }
  return found
}

async function filesNamed(storage: Storage, roomId: RoomId, fits: (name: string) => boolean): Promise<File[]> {
  const found: File[] = []
  let after: string | null = null
  for (let page = 0; page < MAX_PAGES; page++) {
    const listed: Awaited<ReturnType<Storage['files']['list']>> = await storage.files.list(roomId, {
      after,
      limit: 500,
    })
    found.push(...listed.items.filter(({ name }) => fits(name)))
    after = listed.next
    if (after === null) break
  }
  return found
}

const released = (file: File): File | null => (file.current.state === 'released' ? file : null)
const isSignature = (name: string): boolean => /\.p7s$/i.test(name)

async function withContents<T>(
  storage: Storage,
  versions: readonly (FileVersion | null)[],
  work: (documents: (RandomAccess | null)[]) => Promise<T>,
): Promise<T> {
  const opened: Awaited<ReturnType<Storage['contents']['randomAccess']>>[] = []
  try {
    const documents: (RandomAccess | null)[] = []
    for (const version of versions) {
      const access = version === null ? null : await storage.contents.randomAccess(version.contentId)
      if (access !== null) opened.push(access)
      documents.push(access)
    }
    return await work(documents)
  } finally {
    for (const access of opened) await access.close()
  }
}

function required(document: RandomAccess | null | undefined): RandomAccess {
  if (document == null) throw new GatewayError('gateway/not-found')
  return document
}

/** 10,000 files; a `.p7s` without the full name of its file is not looked for in larger rooms. */
const MAX_PAGES = 20
