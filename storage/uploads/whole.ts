/** A small upload whose whole body is at hand: one object, then one transaction. */
import { userOf, type Actor } from '../actor.ts'
import { isStorageError, StorageError } from '../errors.ts'
import type { FileId, ObjectId } from '../ids.ts'
import { insertSegment } from '../segments/segment-rows.ts'
import { SMALL_BYTES, smallStore } from '../segments/small.ts'
import { begunState, prepareUpload } from './begin.ts'
import { createFile, type UploadDeps } from './finish.ts'
import type { BegunUpload, UploadSpec } from './upload.ts'

type BeginWhole = (spec: UploadSpec & { size: number }, body: Uint8Array, by: Actor) => Promise<BegunUpload>

/** See `Uploads.beginWhole`. */
export function createWholeUploads(deps: UploadDeps, checkReserve: () => Promise<void>): BeginWhole {
  const storeSmall = smallStore(deps)
  return async (spec, body, by) => {
    checkBody(spec.size, body.length)
    const order = { spec, by }
    const { upload, insertFinished } = prepareUpload(deps, order)
    await checkReserve()
    const scopeKey = await deps.keyRing.scopeKey(deps.database.kysely, spec.roomId)
    const { segment, sha256 } = await storeSmall(scopeKey, body)
    const file = { ...upload, ...spec, mediaType: spec.mediaType ?? null, createdBy: userOf(by) }
    let fileId: FileId | null = null
    try {
      await deps.database.transaction((db) =>
        insertFinished(db, {
          size: body.length,
          sha256,
          saveSegment: (bound) => insertSegment(bound, upload.contentId, segment),
          makeFile: async (bound) =>
            (fileId = spec.kind === 'partial' ? null : await createFile(deps, bound, file, sha256)),
        }),
      )
    } catch (error) {
      await removeUnnamed(deps, segment.objectId, error)
      throw error
    }
    return begunState(upload, order, { offset: body.length, state: 'finished', fileId })
  }
}

function checkBody(declared: number, length: number): void {
  if (declared !== length) throw new StorageError('storage/size-mismatch', `${length} bytes, ${declared} declared`)
  if (length > SMALL_BYTES) throw new StorageError('storage/size-exceeded', `more than ${SMALL_BYTES} bytes`)
}

async function removeUnnamed(deps: UploadDeps, object: ObjectId, error: unknown): Promise<void> {
  // Nobody knows whether that transaction was committed: its row may name the object.
  if (isStorageError(error, 'storage/database-unavailable')) return
  await deps.objects.delete(object).catch((cause: unknown) => {
    deps.log.warn({ object, cause }, 'could not remove an object; doctor will')
  })
}
