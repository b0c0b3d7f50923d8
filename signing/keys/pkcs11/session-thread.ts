/**
 * A session of a token in a thread of its own, asked one question at a time.
 *
 * A question that the token does not answer in time makes the thread useless: it is ended, and the caller starts another.
 */
import { SigningError } from '../../errors.ts'
import type { SigningErrorCode } from '../../errors.ts'
import { startWorker } from '../../start-worker.ts'
import type { SignatureAlgorithm } from '../signing-key.ts'
import { pack, unpack } from './packed.ts'
import type { Packed } from './packed.ts'
import { SessionLost } from './session-lost.ts'
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
  /** who asked and has no answer yet */
  let asker: Asker | null = null
  const timer = setTimeout(() => {
    if (asker !== null) end('the token does not answer')
  }, timeoutMs).unref()

  worker.on('message', (answer: TokenAnswer) => {
    const { resolve, reject } = takeAsker()
    if (answer.kind === 'done') resolve(unpack(answer.values))
    else
      reject(answer.code === 'lost' ? new SessionLost(answer.message) : new SigningError(answer.code, answer.message))
  })
  worker.on('error', (cause) => {
    end('the thread of the token ended', cause)
  })
  worker.on('exit', () => {
    end('the thread of the token ended')
  })

  function takeAsker(): Asker {
    const taken = asker ?? NOBODY
    asker = null
    worker.unref()
    return taken
  }

  function end(message: string, cause?: Error): void {
    gone = true
    takeAsker().reject(new SigningError('signing/key-unavailable', message, { cause }))
    void worker.terminate()
  }

  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (gone) {
          reject(new SigningError('signing/key-unavailable', 'the thread of the token ended'))
          return
        }
        asker = { resolve, reject }
        worker.ref()
        timer.refresh()
        worker.postMessage(sent(question))
      }),
    isGone: () => gone,
    close: async () => {
      gone = true
      await worker.terminate()
    },
  }
}

interface Asker {
  resolve: (values: Buffer[]) => void
  reject: (error: Error) => void
}

/** An answer too late, or an end that nobody waits for. */
const NOBODY: Asker = { resolve: () => undefined, reject: () => undefined }

function sent(question: TokenQuestion): SentQuestion {
  return question.kind === 'open' ? question : { ...question, messages: pack(question.messages) }
}
