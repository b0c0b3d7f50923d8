/**
 * Collects the body of a stranger's request in memory: bounded in bytes, in what it costs to hold them, and in time.
 *
 * A body may come in a million pieces of one byte, and each piece costs some hundred bytes to keep; so pieces are copied
 * together as they come. A body may come for ever, one byte a minute; so it has to keep a pace. Bodies of files do not
 * come through here.
 */
import type { IncomingMessage } from 'node:http'
import { performance } from 'node:perf_hooks'
import { GatewayError } from '../errors.ts'

/** A body that has been coming for longer than `graceMs` must on average have brought `bytesPerSecond` since. */
export interface Pace {
  graceMs: number
  bytesPerSecond: number
}

/** What all bodies of one kind may hold in memory together, in bytes. */
export interface BodyMemory {
  readonly budget: number
  held: number
}

export interface BodyOptions {
  /** largest body, in bytes */
  limit: number
  /** shared by several requests; whoever reads with it gives `body.length` back. Absent: not counted */
  memory?: BodyMemory
  pace?: Pace
}

/** A quarter of a Mbit/s: slower than any line that serves a court. */
const PACE: Pace = { graceMs: 30_000, bytesPerSecond: 32 * 1024 }
const LOOK_EVERY_MS = 1_000
const FIRST_BLOCK_BYTES = 4 * 1024
const LARGEST_BLOCK_BYTES = 1024 * 1024

/**
 * @throws GatewayError `gateway/too-large`; `gateway/busy` the shared memory is full; `gateway/bad-input` the client broke
 *   off, or was too slow (`facts.reason`)
 */
export async function readBody(request: IncomingMessage, options: BodyOptions): Promise<Buffer> {
  const { limit, memory } = options
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new GatewayError('gateway/too-large')
  const blocks = new Blocks(limit, memory)
  const watch = watchPace(options.pace ?? PACE, blocks)
  try {
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: GatewayError) => {
        request.off('data', take)
        request.pause()
        reject(error)
      }
      const take = (piece: Buffer) => {
        const refusal = blocks.add(piece)
        if (refusal !== null) refuse(refusal)
      }
      const brokenOff = (cause?: unknown) => {
        reject(new GatewayError('gateway/bad-input', { facts: { reason: 'broken-off' }, cause }))
      }
      watch.tooSlow = refuse
      request.on('data', take)
      request.once('end', resolve)
      request.once('error', brokenOff)
      request.once('close', brokenOff)
    })
    return blocks.joined()
  } catch (error) {
    if (memory) memory.held -= blocks.size
    throw error
  } finally {
    clearInterval(watch.timer)
  }
}

/** Bytes in few large buffers, whatever the pieces they came in. */
class Blocks {
  readonly #limit: number
  readonly #memory: BodyMemory | undefined
  readonly #full: Buffer[] = []
  #block = Buffer.alloc(0)
  #fill = 0
  size = 0

  constructor(limit: number, memory: BodyMemory | undefined) {
    this.#limit = limit
    this.#memory = memory
  }

  /** @returns why it cannot be taken; null = it was */
  add(piece: Buffer): GatewayError | null {
    const memory = this.#memory
    if (this.size + piece.length > this.#limit) return new GatewayError('gateway/too-large')
    if (memory && memory.held + piece.length > memory.budget)
      return new GatewayError('gateway/busy', { retryAfterSeconds: 5 })
    if (memory) memory.held += piece.length
    this.size += piece.length
    let rest = piece
    while (rest.length > 0) {
      if (this.#fill === this.#block.length) this.#open(rest.length)
      const copied = rest.copy(this.#block, this.#fill)
      this.#fill += copied
      rest = rest.subarray(copied)
    }
    return null
  }

  joined(): Buffer {
    const last = this.#block.subarray(0, this.#fill)
    return this.#full.length === 0 ? last : Buffer.concat([...this.#full, last], this.size)
  }

  /** Blocks grow with the body, so that a small one costs little and a large one has few. */
  #open(atLeast: number): void {
    if (this.#fill > 0) this.#full.push(this.#block)
    const grown = Math.min(Math.max(this.size, FIRST_BLOCK_BYTES), LARGEST_BLOCK_BYTES)
    this.#block = Buffer.allocUnsafeSlow(Math.max(grown, atLeast))
    this.#fill = 0
  }
}

function watchPace(pace: Pace, body: { readonly size: number }) {
  const begun = performance.now()
  const watch = {
    tooSlow: (_error: GatewayError): void => undefined,
    timer: setInterval(
      () => {
        const allowedMs = pace.graceMs + (body.size / pace.bytesPerSecond) * 1000
        if (performance.now() - begun > allowedMs) {
          watch.tooSlow(new GatewayError('gateway/bad-input', { facts: { reason: 'too-slow' } }))
        }
      },
      Math.min(LOOK_EVERY_MS, pace.graceMs),
    ),
  }
  return watch
}
