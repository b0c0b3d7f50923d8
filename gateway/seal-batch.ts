/**
 * The `seal-batch` job: seals the files of a batch, a portion under one authorisation of the key at a time, and writes
 * the sealed protocol when no file waits any more.
 *
 * Each file becomes sealed in the transaction that adds its version, so that a restart goes on where it was. A fault of
 * key, authority or store stops the portion, and the job comes back; a document that cannot be sealed is noted and passed.
 */
import { SigningError, sealMany } from '../signing/index.ts'
import type { SealedPdf, SigningKey } from '../signing/index.ts'
import { StorageError, isStorageError, parseId } from '../storage/index.ts'
import type {
  Actor,
  ClaimedJob,
  File,
  JobHandler,
  JobOutcome,
  SealBatch,
  SealBatchItem,
  Storage,
} from '../storage/index.ts'
import { fileProtocol } from './seal-batch-protocol.ts'
import { keepSeal } from './seal.ts'
import type { SealerDeps } from './seal.ts'
import { levelOf, requestOf } from './seal-level.ts'
import type { SealWishes } from './seal-level.ts'

/** Runs one claim of the job: portions until none waits, or until it is told to stop. */
export function sealBatchHandler(deps: SealerDeps): JobHandler {
  return async (job, signal) => {
    const batch = await batchOf(deps.storage, job)
    if (batch?.state !== 'running') return { kind: 'done' }
    try {
      return await workOn(deps, batch, signal)
    } catch (error) {
      if (error instanceof SigningError) return { kind: 'failed', reason: error.code }
      throw error
    }
  }
}

async function workOn(deps: SealerDeps, batch: SealBatch, signal: AbortSignal): Promise<JobOutcome> {
  const { storage, clock } = deps
  const signer = await deps.key()
  while (!signal.aborted) {
    const items = await storage.sealBatches.items(batch.id, { limit: PORTION, state: 'waiting' })
    if (items.length === 0) {
      await fileProtocol(deps, batch, signer, BY)
      return { kind: 'done' }
    }
    const isGoingOn = await sealPortion(deps, { batch, items, signer })
    if (!isGoingOn) return { kind: 'done' }
  }
  return { kind: 'again', at: clock() }
}

interface Portion {
  batch: SealBatch
  items: readonly SealBatchItem[]
  signer: SigningKey
}

/** @returns false: the batch was cancelled meanwhile */
async function sealPortion(deps: SealerDeps, { batch, items, signer }: Portion): Promise<boolean> {
  const { storage } = deps
  const opened: Opened[] = []
  try {
    for (const item of items) {
      const one = await open(storage, item)
      if (typeof one === 'string') await storage.sealBatches.itemFailed(batch.id, item.position, one)
      else opened.push(one)
    }
    return await sealOpened(deps, { batch, opened, signer })
  } catch (error) {
    if (isStorageError(error, 'storage/wrong-state') && (await isCancelled(storage, batch))) return false
    throw error
  } finally {
    for (const { source } of opened) await source.close()
  }
}

interface Opened {
  item: SealBatchItem
  file: File
  source: Awaited<ReturnType<Storage['contents']['randomAccess']>>
}

/** The code says why it will not be sealed. */
async function open(storage: Storage, item: SealBatchItem): Promise<Opened | string> {
  try {
    const file = await storage.files.byId(item.fileId)
    if (file.state === 'erased') return 'gateway/not-found'
    if (file.current.state !== 'released') return 'gateway/file-not-released'
    if (file.current.number !== item.version) return 'storage/wrong-state'
    return { item, file, source: await storage.contents.randomAccess(file.current.contentId) }
  } catch (error) {
    if (error instanceof StorageError && OF_ONE_FILE.has(error.code)) return error.code
    throw error
  }
}

async function sealOpened(
  deps: SealerDeps,
  { batch, opened, signer }: { batch: SealBatch; opened: readonly Opened[]; signer: SigningKey },
): Promise<boolean> {
  const { storage, setup, clock } = deps
  const job = { setup, wishes: wishesOf(batch), signedAt: clock() }
  const { level: wanted, sources } = levelOf(job)
  const stamped = wanted !== 'B-B' && sources !== null
  const request = { ...requestOf(job), ...(stamped ? { timestamps: sources.timestamps } : {}) }
  const outcomes = await sealMany(
    opened.map(({ source }) => source),
    signer,
    request,
  )
  const level = stamped ? 'B-T' : 'B-B'
  for (const [index, { item, file }] of opened.entries()) {
    const outcome = outcomes[index]
    if (outcome === undefined) continue
    if (outcome.kind === 'sealed') {
      await keep(deps, { batch, item, file, signer, level, wanted, sealed: outcome.sealed })
    } else {
      if (!OF_ONE_DOCUMENT.has(outcome.error.code)) throw outcome.error
      await storage.sealBatches.itemFailed(batch.id, item.position, outcome.error.code)
    }
  }
  return true
}

interface Kept {
  batch: SealBatch
  item: SealBatchItem
  file: File
  signer: SigningKey
  level: 'B-B' | 'B-T'
  wanted: ReturnType<typeof levelOf>['level']
  sealed: SealedPdf
}

async function keep({ storage }: SealerDeps, { batch, item, file, sealed, ...seal }: Kept): Promise<void> {
  const stored = await storage.contents.put(file.roomId, sealed.bytes)
  try {
    await keepSeal(storage, { ...seal, sealed, stored, current: file.current, by: BY }, (rows, version) =>
      rows.sealBatches.itemSealed(batch.id, item.position, version),
    )
  } catch (error) {
    const isChanged = isStorageError(error, 'storage/wrong-state') && !(await isCancelled(storage, batch))
    if (!isChanged) throw error
    await storage.sealBatches.itemFailed(batch.id, item.position, error.code)
  }
}

async function batchOf(storage: Storage, job: ClaimedJob): Promise<SealBatch | null> {
  try {
    return await storage.sealBatches.byId(parseId('seal-batch', job.subject))
  } catch (error) {
    if (isStorageError(error, 'storage/not-found')) return null
    throw error
  }
}

async function isCancelled(storage: Storage, batch: SealBatch): Promise<boolean> {
  return (await storage.sealBatches.byId(batch.id)).state !== 'running'
}

/** Written by `startSealBatch`, so of this shape. */
const wishesOf = (batch: SealBatch): SealWishes => batch.wishes

/** Documents under one authorisation: some 2 MB of memory. */
const PORTION = 50
const BY: Actor = { kind: 'system', name: 'seal-batch' }
/** What is wrong with one file, and not with key, authority or store. */
const OF_ONE_FILE: ReadonlySet<string> = new Set([
  'storage/not-found',
  'storage/key-destroyed',
  'storage/object-damaged',
  'storage/object-absent',
])
const OF_ONE_DOCUMENT: ReadonlySet<string> = new Set([
  'signing/not-a-pdf',
  'signing/pdf-damaged',
  'signing/pdf-encrypted',
  'signing/pdf-locked',
  'signing/pdf-too-complex',
  'signing/pdf-unsupported',
  'signing/signature-broken',
  'signing/source-changed',
  'signing/bad-mark',
])
