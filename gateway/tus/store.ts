/**
 * The library's DataStore over `storage.uploads`.
 *
 * Where the library calls `write`, the bytes are read from the Node request itself (library.ts, exchange.ts). Offsets,
 * lengths and expiry come from the upload's row and from nowhere else.
 */
import { DataStore, Upload } from '@tus/server'
import type { Actor, BegunUpload, Storage, UploadSpec, UploadState } from '../../storage/index.ts'
import { StorageError, isStorageError } from '../../storage/index.ts'
import { GatewayError } from '../errors.ts'
import type { Admission } from './admission.ts'
import { carriesBytes } from './conformance.ts'
import type { Exchange, Exchanges } from './exchange.ts'
import { packHeaders } from './kept-headers.ts'

export interface UploadStoreDeps {
  exchanges: Exchanges
  uploads: Storage['uploads']
  clock: () => Date
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

  /** Creates the upload, unless its whole body follows and is small: then `write` does both at once. */
  override async create(upload: Upload): Promise<Upload> {
    const exchange = this.#deps.exchanges.byKey(upload.id)
    const { headers } = exchange
    if (upload.size === 0 && !carriesBytes(headers)) await this.#takeWhole(exchange)
    else if (!this.#comesInOneGo(exchange)) await this.#begin(exchange)
    return upload
  }

  /** @returns the offset after this request, in bytes of the upload */
  override async write(_empty: unknown, key: string, offset: number): Promise<number> {
    const exchange = this.#deps.exchanges.byKey(key)
    if (exchange.upload === null) await this.#takeWhole(exchange)
    else if (exchange.upload.state === 'open') await this.#append(exchange, offset)
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

  /** A body that is the whole file and small: one object, one transaction. If it breaks off, nothing is kept. */
  async #takeWhole(exchange: Exchange): Promise<void> {
    const body = carriesBytes(exchange.headers) ? await readWhole(exchange) : Buffer.alloc(0)
    const { spec, actor } = this.#order(exchange)
    adopt(exchange, await this.#deps.uploads.beginWhole({ ...spec, size: body.length }, body, actor))
  }

  async #begin(exchange: Exchange): Promise<void> {
    const { uploads } = this.#deps
    const { spec, actor } = this.#order(exchange)
    const begun = await uploads.begin(spec, actor)
    adopt(exchange, begun)
    if (carriesBytes(exchange.headers)) exchange.lease = await uploads.acquire(begun.id, { waitMs: 0 })
  }

  async #append(exchange: Exchange, offset: number): Promise<void> {
    const { request, lease, checksum } = exchange
    if (lease === null) throw new StorageError('storage/upload-locked', 'the upload is written without a lease')
    const upload = uploadOf(exchange)
    const maxBytes = (upload.size ?? this.#deps.maxSizeBytes) - offset
    try {
      const reached = await this.#deps.uploads.append(lease, offset, request, {
        maxBytes,
        checksum: checksum ?? undefined,
      })
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

  #comesInOneGo({ headers, checksum }: Exchange): boolean {
    const { contentLength, uploadLength } = headers
    // The digest is checked where the bytes are hashed anyway, in `append`.
    if (checksum !== null || contentLength === null || contentLength !== uploadLength) return false
    return carriesBytes(headers) && contentLength <= this.#deps.uploads.wholeBytes
  }

  #order(exchange: Exchange): { spec: UploadSpec; actor: Actor } {
    const { headers } = exchange
    const { principal, roomId, name, mediaType, concat } = admissionOf(exchange)
    const spec: UploadSpec = {
      roomId,
      name,
      mediaType: mediaType ?? undefined,
      size: headers.uploadLength,
      metadata: packHeaders(headers),
      kind: concat.kind === 'partial' ? 'partial' : 'whole',
      expiresAfterMs: this.#deps.expiresAfterMs,
    }
    return { spec, actor: principal.actor }
  }
}

/** Reads a body of known, small length into one buffer. @throws StorageError `storage/upload-interrupted` */
function readWhole({ request, headers }: Exchange): Promise<Buffer> {
  const body = Buffer.allocUnsafeSlow(headers.contentLength ?? 0)
  let filled = 0
  return new Promise((resolve, reject) => {
    let cause: unknown
    request.on('data', (chunk: Buffer) => {
      filled += chunk.copy(body, filled)
    })
    request.once('error', (error) => {
      cause = error
    })
    request.once('end', () => {
      if (filled === body.length) resolve(body)
    })
    request.once('close', () => {
      if (filled < body.length) reject(new StorageError('storage/upload-interrupted', 'the body broke off', cause))
    })
  })
}

function adopt(exchange: Exchange, begun: BegunUpload): void {
  exchange.ticket = begun.ticket
  exchange.upload = begun.state
}

function admissionOf({ admission }: Exchange): Admission {
  if (admission === null) throw new GatewayError('gateway/internal', { message: 'an upload without admission' })
  return admission
}

function uploadOf({ upload }: Exchange): UploadState {
  if (upload === null) throw new StorageError('storage/not-found', 'no such upload')
  return upload
}
