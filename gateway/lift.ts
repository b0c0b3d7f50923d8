/**
 * The `lift` job: brings the signatures of a sealed file to their level once time-stamps and revocation data are to be had.
 *
 * Adds a further version; a file that got another version meanwhile is left alone.
 */
import { SigningError, extendPdf } from '../signing/index.ts'
import type { AdesLevel, LevelSources } from '../signing/index.ts'
import { StorageError, isStorageError, parseId } from '../storage/index.ts'
import type { Actor, ClaimedJob, File, JobHandler, JobOutcome, Storage, StoredContent } from '../storage/index.ts'

export interface LiftDeps {
  storage: Storage
  /** null: no authority is set up any more; the job waits for one */
  sources: LevelSources | null
}

export function liftHandler(deps: LiftDeps): JobHandler {
  return (job) => lift(deps, job)
}

async function lift({ storage, sources }: LiftDeps, job: ClaimedJob): Promise<JobOutcome> {
  const { version, level } = job.payload
  const file = await storage.files.byId(parseId('file', job.subject))
  if (file.state === 'erased' || file.current.number !== version || !isLevel(level)) return { kind: 'done' }
  if (sources === null) return { kind: 'failed', reason: 'gateway/not-configured' }
  try {
    await liftFile(storage, file, { level, sources })
    return { kind: 'done' }
  } catch (error) {
    if (isStorageError(error, 'storage/wrong-state')) return { kind: 'done' }
    if (error instanceof SigningError) return { kind: 'failed', reason: error.code }
    throw error
  }
}

/**
 * A further version of the file, with all its signatures at `level`; B-LTA again renews the archive time-stamp.
 *
 * @returns number of the new version
 * @throws SigningError as extendPdf; StorageError `storage/wrong-state` the file changed meanwhile
 */
export async function liftFile(
  storage: Storage,
  file: File,
  { level, sources, by = SYSTEM }: { level: AdesLevel; sources: LevelSources; by?: Actor },
): Promise<number> {
  const source = await storage.contents.randomAccess(file.current.contentId)
  let stored: StoredContent
  try {
    stored = await storage.contents.put(file.roomId, (await extendPdf(source, level, sources)).bytes)
  } finally {
    await source.close()
  }
  try {
    return await record(storage, file, { stored, level, by })
  } catch (error) {
    if (!isStorageError(error, 'storage/database-unavailable')) await stored.discard()
    throw error
  }
}

function record(
  storage: Storage,
  { id, current }: File,
  { stored, level, by }: { stored: StoredContent; level: AdesLevel; by: Actor },
): Promise<number> {
  return storage.transact(async (rows) => {
    const now = await rows.files.byId(id)
    if (now.current.number !== current.number || now.current.state !== 'released')
      throw new StorageError('storage/wrong-state', 'the file changed while its signatures were lifted')
    await stored.commit(rows.db)
    const { mediaType, note } = current
    const number = await rows.files.addVersion(
      id,
      { contentId: stored.contentId, mediaType, note, state: 'released' },
      by,
    )
    const detail = { version: number, lifted: current.number, level, sha256: stored.sha256 }
    await rows.audit.append({ action: 'file.signatures-lifted', subject: id, by, detail })
    return number
  })
}

const isLevel = (value: unknown): value is AdesLevel => value === 'B-T' || value === 'B-LT' || value === 'B-LTA'
const SYSTEM: Actor = { kind: 'system', name: 'lift' }
