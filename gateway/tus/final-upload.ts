/**
 * The last step of a concatenation: one POST makes a file of finished partial uploads.
 */
import type { Storage } from '../../storage/index.ts'
import { StorageError } from '../../storage/index.ts'
import { GatewayError } from '../errors.ts'
import type { Exchange } from './exchange.ts'
import { packHeaders } from './kept-headers.ts'

interface FinalLimits {
  uploads: Storage['uploads']
  maxSizeBytes: number
  expiresAfterMs: number
}

/**
 * Makes the final upload; `exchange` then has its ticket and its state.
 *
 * @throws StorageError `storage/not-found` a partial that does not exist, or is another person's or room's
 * @throws StorageError `storage/wrong-state` a partial that is no partial, unfinished, or used already
 * @throws StorageError `storage/size-exceeded` together above the largest upload
 */
export async function joinPartials(limits: FinalLimits, exchange: Exchange): Promise<void> {
  const { uploads, maxSizeBytes, expiresAfterMs } = limits
  const { admission, headers } = exchange
  if (admission?.concat.kind !== 'final') throw new GatewayError('gateway/internal')
  const { roomId, name, mediaType, principal, concat } = admission
  let size = 0
  for (const ticket of concat.tickets) {
    const partial = await uploads.byTicket(ticket)
    if (partial?.createdBy !== principal.user.id || partial.roomId !== roomId) {
      throw new StorageError('storage/not-found', 'no such partial upload')
    }
    size += partial.offset
  }
  if (size > maxSizeBytes)
    throw new StorageError('storage/size-exceeded', 'the partials are larger than an upload may be')
  const begun = await uploads.concat(
    {
      roomId,
      name,
      mediaType: mediaType ?? undefined,
      size,
      metadata: packHeaders(headers),
      kind: 'whole',
      expiresAfterMs,
    },
    concat.tickets,
    principal.actor,
  )
  exchange.ticket = begun.ticket
  exchange.upload = begun.state
}
