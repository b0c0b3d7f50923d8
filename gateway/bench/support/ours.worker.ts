/** Our own server for the benches, over files or a bucket; answers with a token and metadata for uploads. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { S3Options } from '../../../storage/objects/s3.ts'
import { openUploadStores, serveUploads } from '../../test/support/upload-stores.ts'
import type { ServerOrder } from './children.ts'

interface OurOrder extends ServerOrder {
  s3?: S3Options
}

const OPERATOR = { kind: 'operator', name: 'bench' } as const

process.on('disconnect', () => process.exit())
process.once('message', (order: OurOrder) => {
  start(order).then(
    (facts) => process.send?.(facts),
    (error: unknown) => process.send?.({ error: String(error instanceof Error ? error.stack : error) }),
  )
})

async function start({ folder, s3 }: OurOrder): Promise<Record<string, string | number>> {
  const database = { kind: 'sqlite' as const, path: join(folder, 'metadata.sqlite') }
  const stores = await openUploadStores({ folder, database, ...(s3 && { s3 }) })
  const { users, rooms, sessions } = stores.storage
  const room = await rooms.create({ name: randomUUID(), level: 'SB2' }, OPERATOR)
  const user = await users.create(
    { email: 'bench@example.org', name: 'Bench', audience: 'staff', passwordHash: 'x' },
    OPERATOR,
  )
  await rooms.addMember(room.id, user.id, 'contributor', OPERATOR)
  const session = { userId: user.id, kind: 'token', factors: { password: new Date() } } as const
  const { token } = await sessions.create({ ...session, expiresAt: new Date(Date.now() + 86_400_000) }, OPERATOR)
  const { port } = await serveUploads(stores, {})
  return { port, token, metadata: `room ${Buffer.from(room.id).toString('base64')}` }
}
