/** Takes bytes from a source into a segment writer, without a stream in between; slow parts slow the source down. */
import type { Readable } from 'node:stream'

import { release } from '../cipher/release.ts'
import type { SegmentWriter } from '../segments/segment-writer.ts'

export interface Received {
  bytes: number
  /** interrupted: the source broke off; displaced: somebody newer wants the upload; too-long: more than allowed */
  how: 'end' | 'interrupted' | 'displaced' | 'too-long'
}

export interface ReceiveOptions {
  maxBytes: number
  /** stop taking bytes at once */
  stop: AbortSignal
  /** somebody newer waits: come to an end soon, see Leaving */
  wanted: AbortSignal
  /** called after bytes were handed over */
  moved: () => void
  /** give the memory of each piece back once it was copied */
  ownsPieces: boolean
}

/** Resolves when the source is at its end in one of four ways; rejects when the writer failed. The source is left paused. */
export function receive(source: Readable, writer: SegmentWriter, options: ReceiveOptions): Promise<Received> {
  return new Promise((resolve, reject) => {
    new Receiver(source, writer, options, { resolve, reject }).start()
  })
}

interface Outcome {
  resolve: (received: Received) => void
  reject: (error: Error) => void
}

/** Listens to `data` itself: a pipe or an iterator would copy and queue once more. */
class Receiver {
  readonly #source: Readable
  readonly #writer: SegmentWriter
  readonly #options: ReceiveOptions
  readonly #outcome: Outcome
  readonly #leaving = new Leaving(() => {
    this.#finish('displaced')
  })
  #bytes = 0
  #over = false
  #ended = false
  /** a piece that found no room after its first `taken` bytes; while there is one, the source is paused */
  #rest: { piece: Uint8Array; taken: number } | null = null

  constructor(source: Readable, writer: SegmentWriter, options: ReceiveOptions, outcome: Outcome) {
    this.#source = source
    this.#writer = writer
    this.#options = options
    this.#outcome = outcome
  }

  start(): void {
    const source = this.#source
    // An error is always followed by `close`; the listener only keeps it from ending the process, also later.
    source.on('error', this.#onBreak)
    const { stop, wanted } = this.#options
    stop.addEventListener('abort', this.#onStop)
    wanted.addEventListener('abort', this.#onWanted)
    if (wanted.aborted) this.#onWanted()
    if (stop.aborted) this.#finish('displaced')
    else if (source.readableEnded) this.#finish('end')
    else if (source.destroyed) this.#finish('interrupted')
    else source.on('end', this.#onEnd).on('close', this.#onBreak).on('aborted', this.#onBreak).on('data', this.#onData)
  }

  readonly #onData = (piece: Uint8Array): void => {
    if (this.#bytes + piece.length > this.#options.maxBytes) {
      this.#finish('too-long')
      return
    }
    const taken = this.#writer.push(piece)
    this.#bytes += taken
    this.#leaving.came(taken)
    if (taken === piece.length) {
      if (this.#options.ownsPieces) release(piece)
      this.#options.moved()
      return
    }
    this.#rest = { piece, taken }
    this.#source.pause()
    this.#drain().catch((error: unknown) => {
      this.#fail(error)
    })
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    if (this.#rest === null) this.#finish('end')
  }

  readonly #onBreak = (): void => {
    if (this.#rest === null && !this.#ended) this.#finish('interrupted')
  }

  readonly #onStop = (): void => {
    this.#finish('displaced')
  }

  readonly #onWanted = (): void => {
    this.#leaving.begin()
  }

  async #drain(): Promise<void> {
    for (let rest = this.#rest; rest !== null; rest = this.#rest) {
      await this.#writer.ready()
      if (this.#over) return
      const taken = this.#writer.push(rest.piece.subarray(rest.taken))
      this.#bytes += taken
      rest.taken += taken
      if (rest.taken < rest.piece.length) continue
      this.#rest = null
      if (this.#options.ownsPieces) release(rest.piece)
    }
    this.#options.moved()
    if (this.#ended) this.#finish('end')
    else if (this.#source.destroyed) this.#finish('interrupted')
    else this.#source.resume()
  }

  #finish(how: Received['how']): void {
    if (this.#over) return
    this.#detach()
    this.#outcome.resolve({ bytes: this.#bytes, how })
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#detach()
    this.#outcome.reject(error instanceof Error ? error : new Error('a segment failed', { cause: error }))
  }

  #detach(): void {
    this.#over = true
    const source = this.#source
    source.pause()
    source.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onBreak).off('aborted', this.#onBreak)
    this.#leaving.end()
    this.#options.stop.removeEventListener('abort', this.#onStop)
    this.#options.wanted.removeEventListener('abort', this.#onWanted)
  }
}

const LEAVE_BYTES = 8 * 1024 * 1024
const LEAVE_MS = 3000
const LEAVE_SILENCE_MS = 250

/**
 * Who is wanted may still take about a part, as long as the bytes keep coming and the newcomer's patience (5 s) lasts.
 * Of many requests at one offset the first then ends well, instead of each being displaced by the next.
 */
class Leaving {
  readonly #go: () => void
  #left = LEAVE_BYTES
  #silence: NodeJS.Timeout | null = null
  #patience: NodeJS.Timeout | null = null

  constructor(go: () => void) {
    this.#go = go
  }

  begin(): void {
    this.#silence ??= setTimeout(this.#go, LEAVE_SILENCE_MS)
    this.#patience ??= setTimeout(this.#go, LEAVE_MS)
  }

  came(bytes: number): void {
    if (this.#silence === null) return
    this.#left -= bytes
    if (this.#left > 0) this.#silence.refresh()
    else this.#go()
  }

  end(): void {
    if (this.#silence) clearTimeout(this.#silence)
    if (this.#patience) clearTimeout(this.#patience)
  }
}
