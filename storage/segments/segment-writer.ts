/**
 * Writes one segment: bytes come in, sealed parts go out to the object store in parallel.
 *
 * Bytes are copied once, into the memory of the present part; see part.ts. What counts is `progress`: the unbroken row of
 * finished parts from the first on. Knows no rows.
 */
import { CHUNK_BYTES, KIND, SEALED_CHUNK_BYTES, type SegmentCipher } from '../cipher/chunks.ts'
import type { Lane } from '../cipher/sealer.ts'
import type { ObjectId } from '../ids.ts'
import type { ObjectStore, PartWriter } from '../objects/object-store.ts'
import { Part, type Sealing } from './part.ts'
import type { PartMemory } from './part-memory.ts'

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
  receipts: () => string[]
}

export type SegmentEnd =
  /** everything is in finished parts */
  | { kind: 'parts' }
  /** a small segment that never was in parts; these bytes are the whole object; `done` gives their memory back */
  | { kind: 'single'; bytes: Buffer; plainSize: number; done: () => void }
  /** finished parts, and the rest to be kept aside */
  | { kind: 'tail'; bytes: Buffer; length: number; done: () => void }

export class SegmentWriter {
  readonly #deps: SegmentWriterDeps
  readonly #objectId: ObjectId
  readonly #sealing: Sealing
  readonly #receipts: string[]
  /** parts that are finished while one before them is not */
  readonly #ahead = new Map<number, { plain: number; receipt: string | null }>()
  readonly #onWay = new Set<Promise<void>>()
  #handle: string | null
  #parts: number
  #plainSize: number
  #next: { number: number; firstChunk: number }
  #part: Part | null = null
  #partWriter: Promise<PartWriter> | null = null
  #failure: Error | null = null

  constructor(deps: SegmentWriterDeps, start: SegmentStart) {
    const { cipher, digests, digested } = start
    this.#deps = deps
    this.#objectId = start.objectId
    this.#sealing = { lane: deps.lane, cipher, digests, digested }
    this.#receipts = [...start.receipts]
    this.#handle = start.handle
    this.#parts = start.parts
    this.#plainSize = start.plainSize
    this.#next = { number: start.parts + 1, firstChunk: start.plainSize / CHUNK_BYTES }
  }

  /** Copies as much of `bytes` as there is room for and says how much; less than all means: await `ready`. */
  push(bytes: Uint8Array): number {
    let taken = 0
    while (taken < bytes.length && this.#failure === null) {
      if (this.#part?.isFull === true) {
        this.#part.seal(KIND.more)
        this.#send(this.#part)
        this.#part = null
      }
      this.#part ??= this.#openPart()
      if (this.#part === null) break
      taken += this.#part.push(taken === 0 ? bytes : bytes.subarray(taken))
    }
    return taken
  }

  /** Resolves when `push` can take more; rejects when a part has failed. */
  async ready(): Promise<void> {
    this.#throwFailure()
    if (this.#part && !this.#part.isFull) return
    if (this.#onWay.size >= this.#deps.objects.partsInFlight) await Promise.race(this.#onWay)
    else await this.#deps.memory.wait(this.#deps.objects.chunksInPart(this.#next.number) * SEALED_CHUNK_BYTES)
    this.#throwFailure()
  }

  progress(): SegmentProgress {
    const counted = this.#receipts.length
    const receipts = () => this.#receipts.slice(0, counted)
    return { handle: this.#handle, parts: this.#parts, plainSize: this.#plainSize, receipts }
  }

  /** What `progress` said before this call survives a loss of power when it resolves. */
  async flush(): Promise<void> {
    await (await this.#partWriter)?.flush()
  }

  /**
   * Ends writing; waits for all parts.
   *
   * @param as last: no byte follows; more: some will, surely; open: nobody knows yet
   */
  async end(as: 'last' | 'more' | 'open'): Promise<SegmentEnd> {
    if (as !== 'last' && this.#part === null) {
      await this.#settle()
      return { kind: 'parts' }
    }
    const part = await this.#lastPart()
    this.#part = null
    if (as === 'last') {
      part.seal(KIND.last)
      if (part.number === 1) return this.#takeOut(part, 'single')
    } else if (as === 'more' && part.isFull) {
      part.seal(KIND.more)
    } else {
      part.seal(KIND.tail)
      return this.#takeOut(part, 'tail')
    }
    this.#send(part)
    await this.#settle()
    return { kind: 'parts' }
  }

  /** Waits until nothing is on its way any more, whatever came of it, and gives all memory back. */
  async abandon(): Promise<void> {
    const part = this.#part
    this.#part = null
    if (part) {
      await part.settled()
      part.loan.give()
    }
    await Promise.allSettled([...this.#onWay])
    const writer = await this.#partWriter?.catch(() => null)
    this.#partWriter = null
    await writer?.close()
  }

  #openPart(): Part | null {
    const { objects, memory } = this.#deps
    if (this.#onWay.size >= objects.partsInFlight) return null
    const chunks = objects.chunksInPart(this.#next.number)
    const taken = memory.tryTake(chunks * SEALED_CHUNK_BYTES)
    if (taken === null) return null
    const part = new Part(this.#sealing, { ...this.#next, chunks }, taken)
    this.#next = { number: part.number + 1, firstChunk: part.firstChunk + chunks }
    return part
  }

  /** The part that holds the end; an empty segment has one, too. */
  async #lastPart(): Promise<Part> {
    for (;;) {
      this.#part ??= this.#openPart()
      if (this.#part) return this.#part
      await this.ready()
    }
  }

  #send(part: Part): void {
    part.loan.filled()
    const sending = this.#sendNow(part)
    this.#onWay.add(sending)
    void sending.finally(() => this.#onWay.delete(sending))
  }

  async #sendNow(part: Part): Promise<void> {
    const { objects, lane } = this.#deps
    try {
      const writer = await this.#openWriter()
      const bytes = await part.sealedBytes()
      const sha256 = objects.wantsDigest ? await lane.sha256(part.memory, bytes.length) : undefined
      const receipt = await writer.putPart(part.number, part.firstChunk * SEALED_CHUNK_BYTES, { bytes, sha256 })
      this.#ahead.set(part.number, { plain: part.plain, receipt })
      this.#advance()
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error('a part failed', { cause: error })
    } finally {
      await part.settled()
      part.loan.give()
    }
  }

  #openWriter(): Promise<PartWriter> {
    this.#partWriter ??= this.#deps.objects.openParts(this.#objectId, this.#handle).then((opened) => {
      this.#handle = opened.handle
      return opened
    })
    return this.#partWriter
  }

  #advance(): void {
    for (let next = this.#ahead.get(this.#parts + 1); next; next = this.#ahead.get(this.#parts + 1)) {
      this.#parts++
      this.#ahead.delete(this.#parts)
      this.#plainSize += next.plain
      if (next.receipt !== null) this.#receipts.push(next.receipt)
    }
  }

  async #settle(): Promise<void> {
    while (this.#onWay.size > 0) await Promise.all(this.#onWay)
    this.#throwFailure()
  }

  async #takeOut(part: Part, kind: 'single' | 'tail'): Promise<SegmentEnd> {
    part.loan.filled()
    const done = (): void => {
      part.loan.give()
    }
    try {
      const bytes = await part.sealedBytes()
      await this.#settle()
      return kind === 'single'
        ? { kind, bytes, plainSize: part.plain, done }
        : { kind, bytes, length: part.plain, done }
    } catch (error) {
      await part.settled()
      done()
      throw error
    }
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure
  }
}
