/** Takes bytes from a source into a segment writer, without a stream in between; slow parts slow the source down. */
import type { Readable } from 'node:stream'

import type { SegmentWriter } from '../segments/segment-writer.ts'

export interface Received {
  bytes: number
  /** interrupted: the source broke off; displaced: somebody newer wants the upload; too-long: more than allowed */
  how: 'end' | 'interrupted' | 'displaced' | 'too-long'
}

export interface ReceiveOptions {
  maxBytes: number
  /** stop taking bytes */
  stop: AbortSignal
  /** called after bytes were handed over */
  moved: () => void
}

/** Resolves when the source is at its end in one of four ways; rejects when the writer failed. The source is left paused. */
export function receive(source: Readable, writer: SegmentWriter, options: ReceiveOptions): Promise<Received> {
  return new Promise((resolve, reject) => {
    let bytes = 0
    let over = false
    let ended = false
    /** bytes that found no room; while there are some, the source is paused */
    let rest: Uint8Array | null = null

    const finish = (how: Received['how']): void => {
      if (over) return
      over = true
      detach()
      resolve({ bytes, how })
    }
    const fail = (error: unknown): void => {
      if (over) return
      over = true
      detach()
      reject(error instanceof Error ? error : new Error('a segment failed', { cause: error }))
    }
    const drain = async (): Promise<void> => {
      while (rest !== null) {
        await writer.ready()
        if (over) return
        const taken = writer.push(rest)
        bytes += taken
        rest = taken < rest.length ? rest.subarray(taken) : null
      }
      options.moved()
      if (ended) finish('end')
      else if (source.destroyed) finish('interrupted')
      else source.resume()
    }
    const onData = (chunk: Uint8Array): void => {
      if (bytes + chunk.length > options.maxBytes) {
        finish('too-long')
        return
      }
      const taken = writer.push(chunk)
      bytes += taken
      if (taken === chunk.length) {
        options.moved()
        return
      }
      rest = chunk.subarray(taken)
      source.pause()
      drain().catch(fail)
    }
    const onEnd = (): void => {
      ended = true
      if (rest === null) finish('end')
    }
    const onBreak = (): void => {
      if (rest === null && !ended) finish('interrupted')
    }
    const onStop = (): void => {
      finish('displaced')
    }
    const detach = (): void => {
      source.pause()
      source.off('data', onData).off('end', onEnd).off('close', onBreak).off('aborted', onBreak)
      options.stop.removeEventListener('abort', onStop)
    }

    // An error is always followed by `close`; the listener only keeps it from ending the process.
    source.on('error', onBreak)
    options.stop.addEventListener('abort', onStop)
    if (options.stop.aborted) finish('displaced')
    else if (source.readableEnded) finish('end')
    else if (source.destroyed) finish('interrupted')
    else source.on('end', onEnd).on('close', onBreak).on('aborted', onBreak).on('data', onData)
  })
}
