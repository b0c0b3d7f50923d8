/**
 * A process that uploads until it is killed. Arguments: JSON of ChildOrder. Says on stdout what was acknowledged, one
 * number a line, so that whoever kills it knows what must be there afterwards.
 */
import { createCipheriv } from 'node:crypto'
import { Readable } from 'node:stream'

import type { ObjectsConfig } from '../../objects/open.ts'
import { openObjects } from '../../objects/open.ts'
import type { DatabaseConfig } from '../../metadata/database.ts'
import { byteHouse } from './byte-house.ts'

export interface ChildOrder {
  folder: string
  database: DatabaseConfig
  objects: ObjectsConfig
  ticket: string
  seed: number
  size: number
  /** bytes a request */
  request: number
}

/** Bytes that depend on nothing but the seed. */
export function seededBytes(seed: number, size: number): Buffer {
  const key = Buffer.alloc(16)
  key.writeUInt32BE(seed)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
}

/** A clock that runs, for houses in several processes. */
export function runningClock() {
  return Object.assign(() => new Date(), { turn: () => undefined })
}

async function main(order: ChildOrder): Promise<void> {
  const { folder, database, ticket, seed, size } = order
  const objects = await openObjects(order.objects)
  const house = await byteHouse({ folder, database, objects, clock: runningClock() })
  const bytes = seededBytes(seed, size)
  console.log('ready')
  for (;;) {
    const state = await house.uploads.byTicket(ticket)
    if (state === null || state.state === 'finished') break
    const lease = await house.uploads.acquire(state.id, { waitMs: 5000 })
    const end = Math.min(size, state.offset + order.request)
    const source = Readable.from(pieces(bytes.subarray(state.offset, end)), { objectMode: false })
    try {
      const offset = await house.uploads.append(lease, state.offset, source, { maxBytes: size })
      console.log(String(offset))
    } finally {
      await lease.release()
    }
  }
  console.log('done')
  await house.close()
  await objects.close()
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

const [, script, order] = process.argv
if (script?.endsWith('upload-child.ts') && order !== undefined) await main(JSON.parse(order) as ChildOrder)
