/** A lease in the hands of this process: renewed in the background, watched for somebody newer, given back at the end. */
import { performance } from 'node:perf_hooks'

import type { UploadId } from '../ids.ts'
import type { Database } from '../metadata/database.ts'
import type { World } from '../world.ts'
import type { Lease } from './upload.ts'

export const LEASE_MS = 15_000
/** How often the row is looked at, by a holder for "wanted" and by a newcomer for "free". */
export const LOOK_MS = 250
const RENEW_MS = 4000

export interface HeldLease extends Lease {
  readonly holder: string
  /** bytes beyond the row may exist in the last segment: do not write into it any more */
  dirty: boolean
}

type Deps = { database: Database } & Pick<World, 'clock' | 'log'>

export class LiveLease implements HeldLease {
  readonly uploadId: UploadId
  readonly holder: string
  dirty: boolean
  /** resolves when the lease is given back, whatever came of that */
  readonly released: Promise<void>
  readonly #deps: Deps
  readonly #wanted = new AbortController()
  readonly #timer: NodeJS.Timeout
  #freed: () => void = () => undefined
  #renewedAt = performance.now()
  #looking = false
  #over: Promise<void> | null = null

  constructor(deps: Deps, row: { id: UploadId; holder: string; dirty: boolean }) {
    this.#deps = deps
    this.uploadId = row.id
    this.holder = row.holder
    this.dirty = row.dirty
    this.released = new Promise((resolve) => {
      this.#freed = resolve
    })
    this.#timer = setInterval(() => void this.#look(), LOOK_MS)
    this.#timer.unref()
  }

  get wanted(): AbortSignal {
    return this.#wanted.signal
  }

  /** Somebody newer in this very process wants it. */
  want(): void {
    this.#wanted.abort()
  }

  release(): Promise<void> {
    clearInterval(this.#timer)
    this.#over ??= this.#letGo().finally(this.#freed)
    return this.#over
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const row = await this.#mine().select('wanted').executeTakeFirst()
      if (row?.wanted !== 0) this.want()
      if (row && performance.now() - this.#renewedAt >= RENEW_MS) await this.#renew()
    } catch (error) {
      this.#deps.log.warn({ upload: this.uploadId, error }, 'could not renew the lease of an upload')
    } finally {
      this.#looking = false
    }
  }

  #mine() {
    const { kysely } = this.#deps.database
    return kysely.selectFrom('upload').where('id', '=', this.uploadId).where('holder', '=', this.holder)
  }

  async #renew(): Promise<void> {
    const held_until = this.#deps.clock().getTime() + LEASE_MS
    await this.#change({ held_until })
    this.#renewedAt = performance.now()
  }

  async #letGo(): Promise<void> {
    await this.#change({ holder: null, held_until: 0, wanted: 0, dirty: this.dirty ? 1 : 0 })
  }

  async #change(values: { holder?: null; held_until: number; wanted?: 0; dirty?: 0 | 1 }): Promise<void> {
    const { kysely } = this.#deps.database
    const mine = kysely.updateTable('upload').set(values).where('id', '=', this.uploadId)
    await mine.where('holder', '=', this.holder).execute()
  }
}
