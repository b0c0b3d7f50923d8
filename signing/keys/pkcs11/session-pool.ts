/**
 * The sessions of one token key and the batches of messages that wait for them.
 *
 * A free session takes its share of the first batch at once, the whole of it where the others have something to do. A
 * session that is lost is opened again once, one after the other; a refused PIN stops the pool for good, because a few
 * wrong ones lock the token.
 */
import { SigningError } from '../../errors.ts'
import type { SignatureAlgorithm } from '../signing-key.ts'
import { startSessionThread } from './session-thread.ts'
import type { OpenQuestion, SessionThread } from './session-thread.ts'
import { SessionLost } from './session-lost.ts'

export interface PoolOptions {
  /** the question that opens a session */
  opening: OpenQuestion
  /** most sessions at the same time */
  sessions: number
  /** longest wait for one answer of the token */
  timeoutMs: number
}

export class SessionPool {
  readonly #opening: OpenQuestion
  readonly #timeoutMs: number
  readonly #idle: SessionThread[]
  readonly #busy = new Set<SessionThread>()
  readonly #queue: Share[] = []
  #most: number
  /** the end of the last opening */
  #turn: Promise<unknown> = Promise.resolve()
  #stopped: SigningError | null = null

  /** @param first a session that is open already */
  constructor(first: SessionThread, { opening, sessions, timeoutMs }: PoolOptions) {
    this.#idle = [first]
    this.#opening = opening
    this.#most = sessions
    this.#timeoutMs = timeoutMs
  }

  /** @returns one value a message, in their order; ECDSA in DER. @throws SigningError */
  sign(algorithm: SignatureAlgorithm, messages: readonly Buffer[]): Promise<Buffer[]> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== null) {
        reject(this.#stopped)
        return
      }
      if (messages.length === 0) {
        resolve([])
        return
      }
      const batch: Batch = { algorithm, messages, values: [], missing: messages.length, resolve, reject }
      this.#queue.push({ batch, from: 0, to: messages.length })
      this.#serve()
    })
  }

  async close(): Promise<void> {
    this.#stop(new SigningError('signing/key-unavailable', 'the key is closed'))
    await Promise.all([...this.#idle, ...this.#busy].map((thread) => thread.close()))
  }

  #serve(): void {
    while (this.#stopped === null && (this.#idle.length > 0 || this.#busy.size < this.#most)) {
      const share = this.#takeShare()
      if (share === null) return
      const known = this.#idle.pop()
      const thread = known ?? startSessionThread(this.#timeoutMs)
      this.#busy.add(thread)
      void this.#work(thread, share, known === undefined).finally(() => {
        this.#busy.delete(thread)
        if (!thread.isGone()) this.#idle.push(thread)
        this.#serve()
      })
    }
  }

  /** Of what waits longest, so much that every free session gets something of the queue. */
  #takeShare(): Share | null {
    const [head, ...others] = this.#queue
    if (head === undefined) return null
    const free = Math.max(1, this.#most - this.#busy.size - others.length)
    const to = head.from + Math.min(MAX_SHARE, Math.ceil((head.to - head.from) / free))
    if (to === head.to) return this.#queue.shift() ?? null
    const share = { ...head, to }
    head.from = to
    return share
  }

  async #work(thread: SessionThread, share: Share, isNew: boolean): Promise<void> {
    try {
      if (isNew) await this.#open(thread)
      this.#keep(share, await this.#signShare(thread, share))
    } catch (error) {
      const reason = asFault(error)
      if (reason.code === 'signing/pin-refused') this.#stop(reason)
      else if (isNew && this.#stopped === null && this.#idle.length + this.#busy.size > 1)
        return this.#giveUp(thread, share)
      this.#fail(share.batch, reason)
    }
  }

  async #signShare(thread: SessionThread, { batch, from, to }: Share): Promise<Buffer[]> {
    const question = { kind: 'sign', algorithm: batch.algorithm, messages: batch.messages.slice(from, to) } as const
    try {
      return await thread.ask(question)
    } catch (error) {
      if (!(error instanceof SessionLost)) throw error
      await this.#open(thread)
      return thread.ask(question)
    }
  }

  /** A slow token does not sign all of a share at once; whoever is free next goes on with the rest. */
  #keep({ batch, from, to }: Share, values: readonly Buffer[]): void {
    if (values.length === 0) throw new SigningError('signing/signature-failed', 'the token did not sign')
    if (batch.missing === 0) return // it failed meanwhile
    values.forEach((value, index) => (batch.values[from + index] = value))
    batch.missing -= values.length
    const next = from + values.length
    if (batch.missing === 0) batch.resolve(batch.values)
    else if (next < to && this.#stopped !== null) this.#fail(batch, this.#stopped)
    else if (next < to) this.#queue.unshift({ batch, from: next, to })
  }

  #fail(batch: Batch, reason: SigningError): void {
    batch.missing = 0
    batch.reject(reason)
    this.#queue.splice(0, Infinity, ...this.#queue.filter((share) => share.batch !== batch))
  }

  /** One after the other: two sessions must not try the same wrong PIN. */
  #open(thread: SessionThread): Promise<unknown> {
    const opened = this.#turn.then(() => {
      if (this.#stopped !== null) throw this.#stopped
      return thread.ask(this.#opening)
    })
    this.#turn = opened.catch((error: unknown) => {
      if (error instanceof SigningError && error.code === 'signing/pin-refused') this.#stop(error)
    })
    return opened
  }

  /** Some tokens have but one session: the others go on with what this one was to do. */
  async #giveUp(thread: SessionThread, share: Share): Promise<void> {
    this.#most = this.#idle.length + this.#busy.size - 1
    this.#queue.unshift(share)
    await thread.close()
  }

  #stop(reason: SigningError): void {
    this.#stopped ??= reason
    for (const { batch } of this.#queue.splice(0)) batch.reject(this.#stopped)
  }
}

interface Batch {
  algorithm: SignatureAlgorithm
  messages: readonly Buffer[]
  /** by the place of their message */
  values: Buffer[]
  /** how many are; 0, too, when it failed */
  missing: number
  resolve: (values: Buffer[]) => void
  reject: (error: unknown) => void
}

/** Messages `from` to `to - 1` of a batch. */
interface Share {
  batch: Batch
  from: number
  to: number
}

/** What callers of a key are told. Other errors are thrown as they are. */
export function asFault(error: unknown): SigningError {
  if (error instanceof SigningError) return error
  if (error instanceof SessionLost) {
    return new SigningError('signing/key-unavailable', 'the token went away', { cause: error })
  }
  throw error
}

/** so many that asking costs little beside signing */
const MAX_SHARE = 64
