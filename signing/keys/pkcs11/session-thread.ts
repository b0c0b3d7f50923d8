/**
 * A session of a token in a thread of its own, asked one question at a time.
 *
 * A question that the token does not answer in time makes the thread useless: it is ended, and the caller starts another.
 */
import type { Worker } from 'node:worker_threads'
import { SigningError } from '../../errors.ts'
import type { SigningErrorCode } from '../../errors.ts'
import { startWorker } from '../../start-worker.ts'
import type { SignatureAlgorithm } from '../signing-key.ts'
import { pack, unpack } from './packed.ts'
import type { Packed } from './packed.ts'
import { SessionLost } from './session.ts'
import type { TokenPlace } from './session.ts'

export type TokenQuestion = OpenQuestion | SignQuestion<readonly Buffer[]>

/** Answered with the certificates in the token. */
export interface OpenQuestion {
  kind: 'open'
  place: TokenPlace
  /** of the key, where the token holds none or another */
  certificate: Uint8Array | null
  /** for the proof that key and certificate belong together; null: by the kind of the key */
  algorithm: SignatureAlgorithm | null
}

/** Answered with one value for each of the first messages, of all of them unless the token is slow; ECDSA in DER. */
export interface SignQuestion<Messages = Packed> {
  kind: 'sign'
  algorithm: SignatureAlgorithm
  messages: Messages
}

/** A question on its way to the thread. */
export type SentQuestion = OpenQuestion | SignQuestion

export interface TokenFault {
  code: SigningErrorCode | 'lost'
  message: string
}

export type TokenAnswer = { kind: 'done'; values: Packed } | ({ kind: 'failed' } & TokenFault)

export interface SessionThread {
  /** @throws SigningError as the token has it, `signing/key-unavailable` no answer in time; SessionLost */
  ask: (question: TokenQuestion) => Promise<Buffer[]>
  /** True when it gave no answer in time or died; ask it no more. */
  isGone: () => boolean
  close: () => Promise<void>
}

export function startSessionThread(timeoutMs: number): SessionThread {
  const worker = startWorker(import.meta.url, 'session')
  worker.unref()
  let gone = false
  worker.once('exit', () => (gone = true))

  async function ask(question: TokenQuestion): Promise<Buffer[]> {
    worker.ref()
    try {
      const answer = await answerOf(worker, sent(question), timeoutMs)
      if (answer.kind === 'done') return unpack(answer.values)
      throw answer.code === 'lost' ? new SessionLost(answer.message) : new SigningError(answer.code, answer.message)
    } catch (error) {
      if (error instanceof NoAnswer) {
        gone = true
        void worker.terminate()
        throw new SigningError('signing/key-unavailable', error.message, { cause: error.cause })
      }
      throw error
    } finally {
      worker.unref()
    }
  }

  return {
    ask,
    isGone: () => gone,
    close: async () => {
      gone = true
      await worker.terminate()
    },
  }
}

class NoAnswer extends Error {}

function sent(question: TokenQuestion): SentQuestion {
  return question.kind === 'open' ? question : { ...question, messages: pack(question.messages) }
}

function answerOf(worker: Worker, question: SentQuestion, timeoutMs: number): Promise<TokenAnswer> {
  return new Promise<TokenAnswer>((resolve, reject) => {
    const timer = setTimeout(() => {
      settle()
      reject(new NoAnswer('the token does not answer'))
    }, timeoutMs)
    const onMessage = (answer: TokenAnswer): void => {
      settle()
      resolve(answer)
    }
    const onError = (cause: Error): void => {
      settle()
      reject(new NoAnswer('the thread of the token ended', { cause }))
    }
    const onExit = (): void => {
      settle()
      reject(new NoAnswer('the thread of the token ended'))
    }
    function settle(): void {
      clearTimeout(timer)
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.postMessage(question)
  })
}
