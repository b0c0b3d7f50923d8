/**
 * The library's Locker over the leases of `storage.uploads`: one writer per upload, across processes.
 *
 * The library's own locker knows one process, and answers a lock that it does not get with 500 after 30 s. Here the
 * newcomer marks that it wants the upload, the holder lets go between two parts, and who waits in vain gets
 * `storage/upload-locked` (423).
 */
import type { Locker } from '@tus/server'
import type { Storage } from '../../storage/index.ts'
import { StorageError } from '../../storage/index.ts'
import { GatewayError } from '../errors.ts'
import type { Exchange, Exchanges } from './exchange.ts'

/** How long a newcomer waits for the holder to let go. */
const LOCK_WAIT_MS = 5_000

export function leaseLocker(uploads: Storage['uploads'], exchanges: Exchanges): Locker {
  return {
    newLock(key) {
      const exchange = exchanges.byKey(key)
      return {
        // A POST makes its own upload: nobody else can know the ticket yet.
        lock: () => (exchange.method === 'POST' ? Promise.resolve() : take(uploads, exchange)),
        unlock: () => release(exchange),
      }
    },
  }
}

/** Gives back what the exchange holds; safe to call twice. */
export async function release(exchange: Exchange): Promise<void> {
  const { lease } = exchange
  exchange.lease = null
  await lease?.release()
}

async function take(uploads: Storage['uploads'], exchange: Exchange): Promise<void> {
  const { ticket, method } = exchange
  const found = ticket === null ? null : await uploads.byTicket(ticket)
  if (found === null || ticket === null) throw new StorageError('storage/not-found', 'no such upload')
  // concatenation: the Server MUST respond with 403 to PATCH requests against a final upload
  if (found.kind === 'final' && method === 'PATCH') throw new GatewayError('gateway/upload-is-final')
  exchange.upload = found
  // What is whole is only read; ending it still needs the lease.
  if (found.state === 'finished' && method !== 'DELETE') return
  exchange.lease = await uploads.acquire(found.id, { waitMs: LOCK_WAIT_MS })
  // The former holder may have moved the offset until it let go. A client that asks for the offset wants to go on:
  // the moment to find out whether a bucket's own clean-up took what was kept.
  exchange.upload = await (method === 'HEAD' ? uploads.confirm(ticket) : uploads.byTicket(ticket))
  if (exchange.upload === null) throw new StorageError('storage/not-found', 'no such upload')
}
