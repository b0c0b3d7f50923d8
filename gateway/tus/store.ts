/**
 * The library's DataStore over `storage.uploads`.
 *
 * Where the library calls `write`, the bytes are read from the Node request itself (library.ts, exchange.ts). Offsets,
 * lengths and expiry come from the upload's row and from nowhere else.
 */
import { DataStore, Upload } from '@tus/server'
import type { Actor, Storage, UploadState } from '../../storage/index.ts'
import { StorageError, isStorageError } from '../../storage/index.ts'
import { GatewayError } from '../errors.ts'
import type { Turns } from '../turns.ts'
import { carriesBytes } from './conformance.ts'
import type { Exchange, Exchanges } from './exchange.ts'
import { orderOf, takeWhole } from './whole-body.ts'

export interface UploadStoreDeps {
  exchanges: Exchanges
  uploads: Storage['uploads']
  clock: () => Date
  turns: Turns
  /** Largest upload, in bytes. */
  maxSizeBytes: number
  /** An unfinished upload lives so long after its last acknowledged byte. */
  expiresAfterMs: number
}

/** What `Tus-Extension` names; the last two are ours alone (checksum.ts, concatenation.ts). */
const EXTENSIONS = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'expiration',
  'termination',
  'checksum',
  'concatenation',
]

export class UploadStore extends DataStore {
  readonly #deps: UploadStoreDeps
  override extensions = EXTENSIONS

  constructor(deps: UploadStoreDeps) {
    super()
    this.#deps = deps
  }

  /** An empty file is finished when it begins. */
  override async create(upload: Upload): Promise<Upload> {
    const exchange = this.#deps.exchanges.byKey(upload.id)
    if (upload.size === 0 && !carriesBytes(exchange.headers)) await takeWhole(this.#deps, exchange)
    else await this.#begin(exchange)
    return upload
  }

  /** @returns the offset after this request, in bytes of the upload */
  override async write(_empty: unknown, key: string, offset: number): Promise<number> {
    const exchange = this.#deps.exchanges.byKey(key)
    if (uploadOf(exchange).state === 'open') await this.#append(exchange, offset)
    return uploadOf(exchange).offset
  }

  /** The library asks under its lock: the state is the one that the lease was given with. */
  override getUpload(key: string): Promise<Upload> {
    const { upload, headers, method } = this.#deps.exchanges.byKey(key)
    if (upload === null) return Promise.reject(new StorageError('storage/not-found', 'no such upload'))
    // A client that lost the answer names the length again; only another length is a fault (creation-defer-length).
    const repeated = method === 'PATCH' && upload.size !== null && headers.uploadLength === upload.size
    const size = repeated || upload.size === null ? {} : { size: upload.size }
    return Promise.resolve(new Upload({ id: key, offset: upload.offset, ...size }))
  }

  override async declareUploadLength(key: string, size: number): Promise<void> {
    const exchange = this.#deps.exchanges.byKey(key)
    const upload = uploadOf(exchange)
    if (upload.size === size || exchange.lease === null) return
    await this.#deps.uploads.declareSize(exchange.lease, size)
    exchange.upload = this.#moved(upload, upload.offset, size)
  }

  override async remove(key: string): Promise<void> {
    const exchange = this.#deps.exchanges.byKey(key)
    const { createdBy } = uploadOf(exchange)
    const by: Actor = createdBy === null ? { kind: 'system', name: 'upload' } : { kind: 'user', id: createdBy }
    if (exchange.lease !== null) await this.#deps.uploads.cancel(exchange.lease, by)
    exchange.upload = null
  }

  async #begin(exchange: Exchange): Promise<void> {
    const { uploads, expiresAfterMs } = this.#deps
    const { spec, admission } = orderOf(exchange, expiresAfterMs)
    const begun = await uploads.begin(spec, admission.principal.actor)
    exchange.ticket = begun.ticket
    exchange.upload = begun.state
    if (carriesBytes(exchange.headers)) exchange.lease = await uploads.acquire(begun.id, { waitMs: 0 })
  }

  async #append(exchange: Exchange, offset: number): Promise<void> {
    const { request, lease, checksum } = exchange
    if (lease === null) throw new StorageError('storage/upload-locked', 'the upload is written without a lease')
    const upload = uploadOf(exchange)
    const maxBytes = (upload.size ?? this.#deps.maxSizeBytes) - offset
    try {
      const reached = await this.#deps.turns.during(upload.createdBy ?? '', lease.wanted, () =>
        this.#deps.uploads.append(lease, offset, request, {
          maxBytes,
          checksum: checksum ?? undefined,
          // Node's parser copies each piece of a body into a buffer of its own.
          ownsPieces: true,
        }),
      )
      exchange.upload = this.#moved(upload, reached, upload.size)
    } catch (error) {
      // Retrying at once, as clients do after 423, would take the upload from the newer one again.
      if (isStorageError(error, 'storage/upload-locked') && lease.wanted.aborted) {
        throw new GatewayError('gateway/upload-displaced', { cause: error })
      }
      throw error
    }
  }

  #moved(upload: UploadState, offset: number, size: number | null): UploadState {
    const { clock, expiresAfterMs } = this.#deps
    const expiresAt = new Date(clock().getTime() + expiresAfterMs)
    return { ...upload, offset, size, expiresAt, state: offset === size ? 'finished' : 'open' }
  }
}

function uploadOf({ upload }: Exchange): UploadState {
  if (upload === null) throw new StorageError('storage/not-found', 'no such upload')
  return upload
}
