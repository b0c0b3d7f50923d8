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
  /** stop taking bytes at once */
  stop: AbortSignal
  /** somebody newer waits: come to an end soon, see LEAVE_BYTES */
  wanted: AbortSignal
  /** called after bytes were handed over */
  moved: () => void
}

/**
 * Who is wanted may still take about a part, as long as the bytes keep coming and the newcomer's patience (5 s) lasts.
 * Of many requests at one offset the first then ends well, instead of each being displaced by the next.
 */
const LEAVE_BYTES = 8 * 1024 * 1024
const LEAVE_MS = 3000
const LEAVE_SILENCE_MS = 250

/** Resolves when the source is at its end in one of four ways; rejects when the writer failed. The source is left paused. */
export function receive(source: Readable, writer: SegmentWriter, options: ReceiveOptions): Promise<Received> {
  return new Promise((resolve, reject) => {
    let bytes = 0
    let over = false
    let ended = false
    /** bytes that found no room; while there are some, the source is paused */
    let rest: Uint8Array | null = null
    let lastByte = LEAVE_BYTES
    let silence: NodeJS.Timeout | null = null
    let patience: NodeJS.Timeout | null = null

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
      if (silence !== null) {
        if (bytes >= lastByte) {
          onStop()
          return
        }
        silence.refresh()
      }
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
    const onWanted = (): void => {
      lastByte = bytes + LEAVE_BYTES
      silence ??= setTimeout(onStop, LEAVE_SILENCE_MS)
      patience ??= setTimeout(onStop, LEAVE_MS)
    }
    const detach = (): void => {
      if (silence !== null) clearTimeout(silence)
      if (patience !== null) clearTimeout(patience)
      options.wanted.removeEventListener('abort', onWanted)
      source.pause()
      source.off('data', onData).off('end', onEnd).off('close', onBreak).off('aborted', onBreak)
      options.stop.removeEventListener('abort', onStop)
    }

    // An error is always followed by `close`; the listener only keeps it from ending the process.
    source.on('error', onBreak)
    options.stop.addEventListener('abort', onStop)
    options.wanted.addEventListener('abort', onWanted)
    if (options.wanted.aborted) onWanted()
    if (options.stop.aborted) finish('displaced')
    else if (source.readableEnded) finish('end')
    else if (source.destroyed) finish('interrupted')
    else source.on('end', onEnd).on('close', onBreak).on('aborted', onBreak).on('data', onData)
  })
}
