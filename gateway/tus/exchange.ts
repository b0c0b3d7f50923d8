/**
 * One request to the upload endpoint, from its first header to its answer.
 *
 * The library hands ids and web requests about; what our store, locker and answers need beside them travels here,
 * found through an AsyncLocalStorage. The bytes of the body never pass through the library: the store reads them
 * from `request` (see store.ts).
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import type { Lease, UploadState } from '../../storage/index.ts'
import type { Admission } from './admission.ts'
import type { UploadChecksum } from './checksum.ts'
import type { TusHeaders } from './headers.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly method: TusMethod
  readonly headers: TusHeaders
  /** The ticket in the address; null for POST and OPTIONS, until a POST has made one. */
  ticket: string | null
  /** What a POST may create; null for every other method. */
  admission: Admission | null
  /** `Upload-Checksum` of this request, already parsed. */
  readonly checksum: UploadChecksum | null
  /** Held from the library's lock to its unlock. */
  lease: Lease | null
  /** The upload as last read or written; what the answer's headers are made from. */
  upload: UploadState | null
  /** The fault that the library was told about; it knows only a status and a text. */
  fault: unknown
}

export type TusMethod = 'POST' | 'HEAD' | 'PATCH' | 'DELETE' | 'OPTIONS'

const current = new AsyncLocalStorage<Exchange>()

/** Runs `work` so that {@link currentExchange} finds `exchange` in everything that it starts. */
export function inExchange<T>(exchange: Exchange, work: () => Promise<T>): Promise<T> {
  return current.run(exchange, work)
}

/** The request that is being answered. Only called from what the library calls. */
export function currentExchange(): Exchange {
  const exchange = current.getStore()
  if (exchange === undefined) throw new TypeError('no request is being answered')
  return exchange
}
