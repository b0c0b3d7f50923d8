/**
 * One part on its way: shared memory that is filled with plaintext and sealed in place, region by region.
 *
 * A region is 16 chunks. A full one waits for one more byte, or for the end, to learn whether its last chunk is the last.
 */
import { CHUNK_BYTES, KIND, SEALED_CHUNK_BYTES, type ChunkKind, type SegmentCipher } from '../cipher/chunks.ts'
import type { Lane } from '../cipher/sealer.ts'
import type { PartLoan } from './part-memory.ts'

const REGION_CHUNKS = 16
const REGION_BYTES = REGION_CHUNKS * CHUNK_BYTES
const SEALED_REGION_BYTES = REGION_CHUNKS * SEALED_CHUNK_BYTES

export interface Sealing {
  lane: Lane
  cipher: SegmentCipher
  /** running digests to feed */
  digests: readonly string[]
  /** bytes at the front that they were fed with before; counts down */
  digested: number
}

export class Part {
  /** from 1 */
  readonly number: number
  /** number of its first chunk within the segment */
  readonly firstChunk: number
  readonly loan: PartLoan
  readonly #bytes: Buffer
  readonly #sealing: Sealing
  readonly #regions: number
  readonly #sealed: Promise<number>[] = []
  /** plaintext bytes in the present region, and in the part */
  #fill = 0
  #plain = 0

  constructor(sealing: Sealing, place: { number: number; firstChunk: number; chunks: number }, loan: PartLoan) {
    this.number = place.number
    this.firstChunk = place.firstChunk
    this.loan = loan
    this.#bytes = Buffer.from(loan.memory)
    this.#sealing = sealing
    this.#regions = place.chunks / REGION_CHUNKS
  }

  get memory(): SharedArrayBuffer {
    return this.loan.memory
  }

  /** plaintext bytes in it */
  get plain(): number {
    return this.#plain
  }

  get isFull(): boolean {
    return this.#sealed.length === this.#regions - 1 && this.#fill === REGION_BYTES
  }

  /** Copies as much as fits and returns how much; more bytes follow those that are in it already. */
  push(bytes: Uint8Array): number {
    if (this.#fill === REGION_BYTES) this.seal(KIND.more)
    const size = Math.min(REGION_BYTES - this.#fill, bytes.length)
    const at = this.#sealed.length * SEALED_REGION_BYTES + this.#fill
    // `fill` copies by memcpy; `set` and `copy` into shared memory go word by word, or byte by byte where unaligned.
    if (size > 0) this.#bytes.fill(size === bytes.length ? bytes : bytes.subarray(0, size), at, at + size)
    this.#fill += size
    this.#plain += size
    return size
  }

  /** Has the present region sealed; `end` is the kind of its final chunk. */
  seal(end: ChunkKind): void {
    const { lane, cipher, digests } = this.#sealing
    const region = { memory: this.memory, at: this.#sealed.length * SEALED_REGION_BYTES, length: this.#fill }
    const from = Math.min(this.#sealing.digested, this.#fill)
    this.#sealing.digested -= from
    const first = this.firstChunk + this.#sealed.length * REGION_CHUNKS
    const sealed = lane.seal(cipher, { first, end }, region, { names: digests, from })
    // Whoever takes the sealed bytes meets a failure; until then nobody waits for it.
    sealed.catch(() => undefined)
    this.#sealed.push(sealed)
    this.loan.moved()
    this.#fill = 0
  }

  /** The sealed bytes, once all regions are sealed. */
  async sealedBytes(): Promise<Buffer> {
    const lengths = await Promise.all(this.#sealed)
    return Buffer.from(
      this.memory,
      0,
      lengths.reduce((sum, length) => sum + length, 0),
    )
  }

  /** Resolves when no thread touches the memory any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#sealed)
  }
}
