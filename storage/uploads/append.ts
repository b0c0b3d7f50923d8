/** Appending: one request's bytes into an upload, up to the row that says how far it has come. */
import { performance } from 'node:perf_hooks'
import type { Readable } from 'node:stream'
import { timingSafeEqual } from 'node:crypto'

import { isStorageError, StorageError } from '../errors.ts'
import type { AppendOptions } from './upload.ts'
import { finishUpload, type UploadDeps } from './finish.ts'
import { isKept, markLost } from './kept.ts'
import type { HeldLease } from './held-lease.ts'
import { receive, type Received } from './receive.ts'
import type { RunningDigest, RunningDigests } from './running-digests.ts'
import { isAlive, uploadById, type UploadRow } from './upload-rows.ts'
import { openWriting, type Writing } from './writing.ts'

/**
 * The row moves on in the background whenever so much more is finished, but not more often than this: each time costs
 * flushes, and what a crash makes the client send again is then never more than some seconds of its line.
 */
const PROGRESS_BYTES = 64 * 1024 * 1024
const PROGRESS_MS = 2000

export interface Appending {
  append(lease: HeldLease, offset: number, source: Readable, options: AppendOptions): Promise<number>
  /** Finishes an upload whose bytes are all there. */
  finish(lease: HeldLease, row: UploadRow): Promise<void>
}

export function createAppending(deps: UploadDeps, digests: RunningDigests): Appending {
  const append: Appending['append'] = async (lease, offset, source, options) => {
    const row = await openRow(deps, lease)
    if (row.offset !== offset)
      throw new StorageError('storage/offset-conflict', `the upload is at ${row.offset}, not ${offset}`)
    const digest = digests.begin(row.id, offset)
    const check = options.checksum ? startCheck(deps, row, options.checksum) : null
    const names = [digest.name, check?.name ?? null].filter((name) => name !== null)
    try {
      const writing = await openWriting(deps, { lease, row, digests: names, closing: false })
      return await work({ deps, lease, row, source, options, writing, digest, check })
    } catch (error) {
      digest.backTo(await storedOffset(deps, row))
      throw await explain(deps, row, error)
    } finally {
      check?.drop()
    }
  }

  const finish: Appending['finish'] = async (lease, row) => {
    const digest = digests.begin(row.id, row.offset)
    try {
      const writing = await openWriting(deps, { lease, row, digests: [], closing: true })
      await orAbandon(writing, async () => {
        await finishUpload(deps, row, writing, { sha256: () => digest.finish() })
      })
      digest.over()
      await writing.tidy()
    } catch (error) {
      digest.backTo(row.offset)
      throw await explain(deps, row, error)
    }
  }

  return { append, finish }
}

/** The row of an upload that may be written with this lease. */
export async function openRow(deps: UploadDeps, lease: HeldLease): Promise<UploadRow> {
  const row = await uploadById(deps.database.kysely, lease.uploadId)
  if (row === null || !isAlive(row, deps.clock())) throw new StorageError('storage/upload-gone', 'the upload has ended')
  if (row.state === 'finished') throw new StorageError('storage/upload-finished', 'the upload is whole already')
  if (row.holder !== lease.holder) throw new StorageError('storage/upload-locked', 'the lease was lost')
  return row
}

interface Work {
  deps: UploadDeps
  lease: HeldLease
  row: UploadRow
  source: Readable
  options: AppendOptions
  writing: Writing
  digest: RunningDigest
  check: Check | null
}

async function work(it: Work): Promise<number> {
  const { writing, lease } = it
  const offset = await orAbandon(writing, async () => {
    const received = await receiveAll(it)
    if (received.how === 'too-long')
      throw new StorageError('storage/size-exceeded', `more than ${it.options.maxBytes} bytes`)
    return { reached: await endRequest(it, received), how: received.how }
  })
  await writing.tidy()
  // All that arrived is kept; who sent it must still learn that the request did not end as it should.
  if (offset.how === 'interrupted') throw new StorageError('storage/upload-interrupted', 'the source broke off')
  if (offset.how === 'displaced') throw displaced(lease)
  return offset.reached
}

/** Receives while the row follows in the background; a row that cannot follow ends the request. */
async function receiveAll({ row, source, options, writing, lease, check }: Work): Promise<Received> {
  // What a checksum covers must not count before the digest agrees.
  const follower = followProgress(writing, check === null ? PROGRESS_BYTES : Infinity)
  const { wanted } = lease
  const maxBytes = Math.min(options.maxBytes, (row.size ?? Number.MAX_SAFE_INTEGER) - row.offset)
  let received: Received
  try {
    const { failed: stop, look: moved } = follower
    const ownsPieces = options.ownsPieces === true
    received = await receive(source, writing.writer, { maxBytes, stop, wanted, moved, ownsPieces })
  } finally {
    await follower.idle()
  }
  follower.failed.throwIfAborted()
  return received
}

/** Saves the progress of a writing whenever it has moved on by `every` bytes and PROGRESS_MS, one save at a time. */
function followProgress(writing: Writing, every: number) {
  const failure = new AbortController()
  const moved = (): number => writing.writer.progress().plainSize
  let saving: Promise<void> | null = null
  let next = moved() + every
  let notBefore = performance.now() + PROGRESS_MS
  const save = async (): Promise<void> => {
    try {
      await writing.saveProgress()
    } catch (error) {
      failure.abort(error)
    }
    saving = null
  }
  return {
    /** aborts with what went wrong */
    failed: failure.signal,
    look: (): void => {
      if (saving || moved() < next || performance.now() < notBefore) return
      next = moved() + every
      notBefore = performance.now() + PROGRESS_MS
      saving = save()
    },
    idle: async (): Promise<void> => {
      await saving
    },
  }
}

/** Keeps or finishes; returns the new offset. */
async function endRequest({ deps, row, writing, digest, check }: Work, received: Received): Promise<number> {
  const reached = row.offset + received.bytes
  if (check && received.how !== 'end') throw new StorageError('storage/upload-interrupted', 'the source broke off')
  if (reached !== row.size) {
    if (received.bytes === 0) await writing.abandon()
    else await writing.keep(reached, check?.verify)
    digest.reached(reached)
    return reached
  }
  await finishUpload(deps, row, writing, { sha256: () => digest.finish(), verify: check?.verify })
  digest.over()
  return reached
}

function displaced(lease: HeldLease): StorageError {
  return new StorageError('storage/upload-locked', `a newer writer wants upload ${lease.uploadId}`)
}

async function orAbandon<T>(writing: Writing, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    await writing.abandon()
    throw error
  }
}

interface Check {
  name: string
  /** @throws StorageError `storage/checksum-mismatch` */
  verify: () => Promise<void>
  drop(): void
}

function startCheck(deps: UploadDeps, row: UploadRow, checksum: NonNullable<AppendOptions['checksum']>): Check {
  const lane = deps.sealer.lane(row.id)
  const name = `${row.id} check`
  lane.startDigest(name, checksum.algorithm)
  return {
    name,
    verify: async () => {
      const found = Buffer.from((await lane.endDigest(name)) ?? '', 'hex')
      if (found.length === checksum.expected.length && timingSafeEqual(found, checksum.expected)) return
      throw new StorageError('storage/checksum-mismatch', `${checksum.algorithm} of the request does not match`)
    },
    drop: () => {
      lane.dropDigest(name)
    },
  }
}

/** Kept bytes that the store does not have any more end the upload: the client has to begin anew. */
async function explain(deps: UploadDeps, row: UploadRow, error: unknown): Promise<unknown> {
  if (!isStorageError(error, 'storage/object-absent') || (await isKept(deps, row.contentId))) return error
  await markLost(deps, row)
  return new StorageError('storage/upload-gone', 'bytes kept before have vanished from the object store', error)
}

async function storedOffset(deps: UploadDeps, row: UploadRow): Promise<number> {
  const now = await uploadById(deps.database.kysely, row.id).catch(() => null)
  return now?.offset ?? -1
}
