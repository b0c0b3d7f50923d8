/**
 * One request to the upload endpoint, from its first header to its answer.
 *
 * The library hands one id about; what our store, locker and answers need beside it stands here. To the library the id
 * is the exchange's own number, so that it never sees a ticket, and so that whatever it calls can find the exchange.
 * (An AsyncLocalStorage would find it too, at the price of a hook on every promise of the process.)
 */
import type { IncomingMessage } from 'node:http'
import type { Lease, UploadState } from '../../storage/index.ts'
import type { Admission } from './admission.ts'
import type { UploadChecksum } from './checksum.ts'
import type { TusHeaders } from './headers.ts'

export interface Exchange {
  /** What the library calls the upload. */
  readonly key: string
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

/** The requests that are being answered. */
export class Exchanges {
  readonly #open = new Map<string, Exchange>()
  #last = 0

  /** A key that no other request of this process has. */
  nextKey(): string {
    this.#last += 1
    return `x${this.#last}`
  }

  async during<T>(exchange: Exchange, work: () => Promise<T>): Promise<T> {
    this.#open.set(exchange.key, exchange)
    try {
      return await work()
    } finally {
      this.#open.delete(exchange.key)
    }
  }

  /** Only called with keys that the library got from us. */
  byKey(key: string): Exchange {
    const exchange = this.#open.get(key)
    if (exchange === undefined) throw new TypeError('no such request is being answered')
    return exchange
  }
}

/** The last part of an address, which is where the key stands in what the library is asked. */
export function keyIn(address: string): string {
  return address.slice(address.lastIndexOf('/') + 1)
}
