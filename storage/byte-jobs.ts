/** Handlers of the jobs about stored bytes: `fingerprint`, `expire`, `erase`. */
import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'

import { isStorageError } from './errors.ts'
import { parseId, type ContentId } from './ids.ts'
import type { Contents } from './contents.ts'
import type { ClaimedJob, JobHandler, JobOutcome } from './jobs/job.ts'
import { eraseContent } from './segments/erasure.ts'
import type { Uploads } from './uploads.ts'
import type { UploadDeps } from './uploads/finish.ts'

export interface ByteJobHandlers {
  fingerprint: JobHandler
  expire: JobHandler
  erase: JobHandler
}

const EXPIRE_PAGE = 100

export function createByteJobs(deps: UploadDeps & { contents: Contents; uploads: Uploads }): ByteJobHandlers {
  return {
    fingerprint: (job, signal) => fingerprint(deps, job, signal),
    expire: async (_job, signal) => {
      // A full page may mean more; an empty handed one means that the rest is in use.
      while (!signal.aborted && (await deps.uploads.expire(deps.clock(), EXPIRE_PAGE)) === EXPIRE_PAGE);
      return DONE
    },
    erase: async (job) => {
      await eraseContent(deps, parseId('content', job.subject))
      return DONE
    },
  }
}

const DONE: JobOutcome = { kind: 'done' }

/** Reads a content whose running digest was lost, stores its SHA-256 and releases the file that waited for it. */
async function fingerprint(
  deps: UploadDeps & { contents: Contents },
  job: ClaimedJob,
  signal: AbortSignal,
): Promise<JobOutcome> {
  const id = parseId('content', job.subject)
  const sha256 = await hashOf(deps, id, signal)
  // The content was erased in the meantime: nothing is left to release.
  if (sha256 === null) return DONE
  await deps.database.transaction(async (db) => {
    const { numUpdatedRows } = await db
      .updateTable('content')
      .set({ sha256 })
      .where('id', '=', id)
      .where('state', '=', 'whole')
      .where('sha256', 'is', null)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) return
    const held = await db
      .selectFrom('file_version')
      .select(['file_id', 'number'])
      .where('content_id', '=', id)
      .where('state', '=', 'held')
      .execute()
    for (const version of held) {
      await deps.rows(db).files.release(version.file_id, version.number, { kind: 'system', name: 'fingerprint' })
    }
  })
  return DONE
}

async function hashOf(deps: { contents: Contents }, id: ContentId, signal: AbortSignal): Promise<string | null> {
  const hash = createHash('sha256')
  try {
    const { stream } = await deps.contents.open(id)
    await pipeline(
      stream,
      async (pieces: AsyncIterable<Buffer>) => {
        for await (const piece of pieces) hash.update(piece)
      },
      { signal },
    )
  } catch (error) {
    if (isStorageError(error, 'storage/key-destroyed') || isStorageError(error, 'storage/not-found')) return null
    throw error
  }
  return hash.digest('hex')
}
