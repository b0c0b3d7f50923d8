/**
 * The sessions of one token key and the messages that wait for them.
 *
 * A free session takes its share of the queue at once. A session that is lost is opened again once, one after the other;
 * a refused PIN stops the pool for good, because a few wrong ones lock the token.
 */
import { SigningError } from '../../errors.ts'
import type { SignatureAlgorithm } from '../signing-key.ts'
import { startSessionThread } from './session-thread.ts'
import type { SessionThread, TokenQuestion } from './session-thread.ts'
import { SessionLost } from './session.ts'

export interface PoolOptions {
  /** the question that opens a session */
  opening: TokenQuestion
  /** most sessions at the same time */
  sessions: number
  /** longest wait for one answer of the token */
  timeoutMs: number
}

export class SessionPool {
  readonly #opening: TokenQuestion
  readonly #timeoutMs: number
  readonly #idle: SessionThread[]
  readonly #busy = new Set<SessionThread>()
  readonly #queue: Waiting[] = []
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

  /** @returns a verified value, ECDSA in DER. @throws SigningError */
  sign(algorithm: SignatureAlgorithm, message: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== null) {
        reject(this.#stopped)
        return
      }
      this.#queue.push({ algorithm, message, resolve, reject })
      // calls of the same turn of the event loop share one message to the thread
      if (this.#queue.length === 1)
        queueMicrotask(() => {
          this.#serve()
        })
    })
  }

  async close(): Promise<void> {
    this.#stop(new SigningError('signing/key-unavailable', 'the key is closed'))
    await Promise.all([...this.#idle, ...this.#busy].map((thread) => thread.close()))
  }

  #serve(): void {
    while (this.#queue.length > 0 && (this.#idle.length > 0 || this.#busy.size < this.#most)) {
      const known = this.#idle.pop()
      const thread = known ?? startSessionThread(this.#timeoutMs)
      this.#busy.add(thread)
      void this.#work(thread, this.#takeShare(), known === undefined).finally(() => {
        this.#busy.delete(thread)
        if (!thread.isGone()) this.#idle.push(thread)
        this.#serve()
      })
    }
  }

  /** What waits longest, of one algorithm, and so much that every free session gets some. */
  #takeShare(): Waiting[] {
    const free = Math.max(1, this.#most - this.#busy.size + 1)
    const share = Math.min(MAX_BATCH, Math.ceil(this.#queue.length / free))
    const algorithm = this.#queue[0]?.algorithm
    const other = this.#queue.findIndex((one) => one.algorithm !== algorithm)
    return this.#queue.splice(0, other < 0 ? share : Math.min(share, other))
  }

  async #work(thread: SessionThread, batch: readonly Waiting[], isNew: boolean): Promise<void> {
    try {
      if (isNew) await this.#open(thread)
      const values = await this.#signBatch(thread, batch)
      batch.forEach(({ resolve, reject }, index) => {
        const value = values[index]
        if (value === undefined) reject(new SigningError('signing/signature-failed', 'the token did not sign'))
        else resolve(value)
      })
    } catch (error) {
      const reason = asFault(error)
      if (reason.code === 'signing/pin-refused') this.#stop(reason)
      else if (isNew && this.#idle.length + this.#busy.size > 1) return this.#giveUp(thread, batch)
      for (const { reject } of batch) reject(reason)
    }
  }

  async #signBatch(thread: SessionThread, batch: readonly Waiting[]): Promise<Buffer[]> {
    const [head] = batch
    if (head === undefined) return []
    const messages = batch.map(({ message }) => message)
    const question = { kind: 'sign', algorithm: head.algorithm, messages } as const
    try {
      return await thread.ask(question)
    } catch (error) {
      if (!(error instanceof SessionLost)) throw error
      await this.#open(thread)
      return thread.ask(question)
    }
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
  async #giveUp(thread: SessionThread, batch: readonly Waiting[]): Promise<void> {
    this.#most = this.#idle.length + this.#busy.size - 1
    this.#queue.unshift(...batch)
    await thread.close()
  }

  #stop(reason: SigningError): void {
    this.#stopped ??= reason
    for (const { reject } of this.#queue.splice(0)) reject(this.#stopped)
  }
}

interface Waiting {
  algorithm: SignatureAlgorithm
  message: Buffer
  resolve: (value: Buffer) => void
  reject: (error: unknown) => void
}

/** What callers of a key are told. Other errors are thrown as they are. */
export function asFault(error: unknown): SigningError {
  if (error instanceof SigningError) return error
  if (error instanceof SessionLost) {
    return new SigningError('signing/key-unavailable', 'the token went away', { cause: error })
  }
  throw error
}

const MAX_BATCH = 32
