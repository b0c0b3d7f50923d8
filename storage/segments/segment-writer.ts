/**
 * Writes one segment: bytes come in, sealed parts go out to the object store in parallel.
 *
 * Bytes are copied once, into the memory of the current part; sealing and hashing happen there, in place, in a lane of
 * the sealer. A full region waits for one more byte, or for the end, to learn whether its last chunk is the last one.
 * What counts is `progress`: the unbroken row of finished parts from the first on. Knows no rows.
 */
import { CHUNK_BYTES, KIND, SEALED_CHUNK_BYTES, type ChunkKind, type SegmentCipher } from '../cipher/chunks.ts'
import type { Lane } from '../cipher/sealer.ts'
import type { ObjectId } from '../ids.ts'
import type { ObjectStore, PartWriter } from '../objects/object-store.ts'
import type { PartMemory } from './part-memory.ts'

const REGION_CHUNKS = 16
const REGION_BYTES = REGION_CHUNKS * CHUNK_BYTES
const SEALED_REGION_BYTES = REGION_CHUNKS * SEALED_CHUNK_BYTES
const PARTS_IN_FLIGHT = 4

export interface SegmentWriterDeps {
  objects: ObjectStore
  lane: Lane
  memory: PartMemory
}

export interface SegmentStart {
  cipher: SegmentCipher
  objectId: ObjectId
  /** finished parts so far, with what the store gave for them */
  handle: string | null
  parts: number
  receipts: readonly string[]
  /** plaintext bytes in them */
  plainSize: number
  /** running digests of the lane to feed */
  digests: readonly string[]
  /** the first so many bytes are not fed to the digests: they were before */
  digested: number
}

export interface SegmentProgress {
  handle: string | null
  /** finished parts in one unbroken row, and the plaintext bytes in them */
  parts: number
  plainSize: number
  /** receipts of these parts; empty for stores that give none */
  receipts(): string[]
}

export type SegmentEnd =
  /** everything is in finished parts */
  | { kind: 'parts' }
  /** a small segment that never was in parts; these bytes are the whole object */
  | { kind: 'single'; bytes: Buffer; plainSize: number; done(): void }
  /** finished parts, and the rest to be kept aside; `done` gives its memory back */
  | { kind: 'tail'; bytes: Buffer; length: number; done(): void }

export interface SegmentWriter {
  /** Copies as much of `bytes` as there is room for and says how much; less than all means: await `ready`. */
  push(bytes: Uint8Array): number
  /** Resolves when `push` can take more; rejects when a part has failed. */
  ready(): Promise<void>
  progress(): SegmentProgress
  /** What `progress` said before this call survives a loss of power when it resolves. */
  flush(): Promise<void>
  /**
   * Ends writing; waits for all parts.
   *
   * @param as last: no byte follows; more: some will, surely; open: nobody knows yet
   */
  end(as: 'last' | 'more' | 'open'): Promise<SegmentEnd>
  /** Waits until nothing is on its way any more, whatever came of it, and gives all memory back. */
  abandon(): Promise<void>
}

interface Part {
  number: number
  /** of its first chunk within the segment */
  firstChunk: number
  memory: SharedArrayBuffer
  regions: number
  /** regions handed to the sealer, and plaintext in the present one */
  sealedRegions: number
  fill: number
  plain: number
  seals: Promise<number>[]
}

export function createSegmentWriter(deps: SegmentWriterDeps, start: SegmentStart): SegmentWriter {
  const { objects, lane, memory } = deps
  const receipts = [...start.receipts]
  const ahead = new Map<number, { plain: number; receipt: string | null }>()
  const onWay = new Set<Promise<void>>()
  let nextNumber = start.parts + 1
  let nextChunk = start.plainSize / CHUNK_BYTES
  let undigested = start.digested
  let part: Part | null = null
  let partWriter: Promise<PartWriter> | null = null
  let handle = start.handle
  let failure: Error | null = null
  let parts = start.parts
  let plainSize = start.plainSize

  const openPart = (): Part | null => {
    if (onWay.size >= PARTS_IN_FLIGHT) return null
    const chunks = objects.chunksInPart(nextNumber)
    const taken = memory.tryTake(chunks * SEALED_CHUNK_BYTES)
    if (!taken) return null
    const regions = chunks / REGION_CHUNKS
    const opened = { number: nextNumber, firstChunk: nextChunk, memory: taken, regions }
    nextNumber++
    nextChunk += chunks
    return { ...opened, sealedRegions: 0, fill: 0, plain: 0, seals: [] }
  }

  const sealRegion = (of: Part, end: ChunkKind): void => {
    const first = of.firstChunk + of.sealedRegions * REGION_CHUNKS
    const region = { memory: of.memory, at: of.sealedRegions * SEALED_REGION_BYTES, length: of.fill }
    const from = Math.min(undigested, of.fill)
    undigested -= from
    const digests = from < of.fill ? start.digests.map((name) => ({ name, from })) : []
    const sealing = lane.seal(start.cipher, { first, end }, region, digests)
    // Whoever sends the part meets the failure; until then nobody waits for it.
    sealing.catch(() => undefined)
    of.seals.push(sealing)
    of.sealedRegions++
    of.fill = 0
  }

  const openWriter = (): Promise<PartWriter> => {
    partWriter ??= objects.openParts(start.objectId, handle).then((opened) => {
      handle = opened.handle
      return opened
    })
    return partWriter
  }

  const sealedLength = async (of: Part): Promise<number> =>
    (await Promise.all(of.seals)).reduce((sum, length) => sum + length, 0)

  const advance = (): void => {
    for (let next = ahead.get(parts + 1); next; next = ahead.get(parts + 1)) {
      ahead.delete(parts + 1)
      parts++
      plainSize += next.plain
      if (next.receipt !== null) receipts.push(next.receipt)
    }
  }

  const sendPart = (of: Part): void => {
    const sending = (async () => {
      try {
        const writer = await openWriter()
        const length = await sealedLength(of)
        const sha256 = objects.wantsDigest ? await lane.sha256(of.memory, length) : undefined
        const bytes = Buffer.from(of.memory, 0, length)
        const receipt = await writer.putPart(of.number, of.firstChunk * SEALED_CHUNK_BYTES, { bytes, sha256 })
        ahead.set(of.number, { plain: of.plain, receipt })
        advance()
      } catch (error) {
        failure ??= error instanceof Error ? error : new Error('a part failed', { cause: error })
      } finally {
        await Promise.allSettled(of.seals)
        memory.give(of.memory)
      }
    })()
    onWay.add(sending)
    void sending.finally(() => onWay.delete(sending))
  }

  const settle = async (): Promise<void> => {
    while (onWay.size > 0) await Promise.all(onWay)
    if (failure) throw failure
  }

  const push = (bytes: Uint8Array): number => {
    let taken = 0
    while (taken < bytes.length && !failure) {
      if (part && part.fill === REGION_BYTES) {
        sealRegion(part, KIND.more)
        if (part.sealedRegions === part.regions) {
          sendPart(part)
          part = null
        }
      }
      part ??= openPart()
      if (!part) break
      const size = Math.min(REGION_BYTES - part.fill, bytes.length - taken)
      const target = new Uint8Array(part.memory, part.sealedRegions * SEALED_REGION_BYTES + part.fill, size)
      target.set(bytes.subarray(taken, taken + size))
      part.fill += size
      part.plain += size
      taken += size
    }
    return taken
  }

  const ready = async (): Promise<void> => {
    if (failure) throw failure
    if (part) return
    if (onWay.size >= PARTS_IN_FLIGHT) await Promise.race(onWay)
    else await memory.wait(objects.chunksInPart(nextNumber) * SEALED_CHUNK_BYTES)
    // `failure` is set by parts that settle while this waits.
    if (failure as Error | null) throw failure as unknown as Error
  }

  /** The part that holds the end; an empty segment has one, too. */
  const lastPart = async (): Promise<Part> => {
    while (!part) {
      part = openPart()
      if (!part) await ready()
    }
    return part
  }

  const end = async (as: 'last' | 'more' | 'open'): Promise<SegmentEnd> => {
    if (as !== 'last' && part === null) {
      await settle()
      return { kind: 'parts' }
    }
    const last = await lastPart()
    part = null
    const full = last.sealedRegions === last.regions - 1 && last.fill === REGION_BYTES
    const asContent = as === 'last' || (as === 'more' && full)
    sealRegion(last, as === 'last' ? KIND.last : asContent ? KIND.more : KIND.tail)
    const alone = last.number === 1
    if (asContent && !(as === 'last' && alone)) {
      sendPart(last)
      await settle()
      return { kind: 'parts' }
    }
    const giveBack = (): void => {
      memory.give(last.memory)
    }
    try {
      const length = await sealedLength(last)
      await settle()
      const bytes = Buffer.from(last.memory, 0, length)
      return asContent
        ? { kind: 'single', bytes, plainSize: last.plain, done: giveBack }
        : { kind: 'tail', bytes, length: last.plain, done: giveBack }
    } catch (error) {
      await Promise.allSettled(last.seals)
      giveBack()
      throw error
    }
  }

  return {
    push,
    ready,
    progress: () => {
      const counted = receipts.length
      return { handle, parts, plainSize, receipts: () => receipts.slice(0, counted) }
    },
    flush: async () => {
      if (partWriter) await (await partWriter).flush()
    },
    end,
    abandon: async () => {
      if (part) {
        const dropped = part
        part = null
        await Promise.allSettled(dropped.seals)
        memory.give(dropped.memory)
      }
      await Promise.allSettled(onWay)
      const opened = await partWriter?.catch(() => null)
      await opened?.close()
    },
  }
}
