/**
 * An upload server in a process of its own, so that it can be killed. Waits for its order before it opens anything:
 * a spare one starts in no time.
 */
import type { StoresOrder } from './upload-stores.ts'
import { openUploadStores, serveUploads } from './upload-stores.ts'

/** as the configuration has it; what is killed over and over again must not expire under it */
const DAY_MS = 86_400_000

process.on('disconnect', () => process.exit())
process.once('message', (order: StoresOrder) => {
  openUploadStores(order)
    .then((stores) => serveUploads(stores, { idleMs: 60_000, expiresAfterMs: DAY_MS }))
    .then(
      ({ port }) => process.send?.({ port }),
      (error: unknown) => process.send?.({ error: String(error instanceof Error ? error.stack : error) }),
    )
})
process.send?.('ready')
