/**
 * One thread that validates, seen from the main thread: hands it documents piece by piece, asks the network for it, and
 * ends it when a document keeps it for too long.
 */
import type { Worker } from 'node:worker_threads'
import { SigningError } from '../../errors.ts'
import type { Http, HttpRequest } from '../../http.ts'
import type { RandomAccess } from '../../random-access.ts'
import type { ValidationReport } from '../report.ts'
import { errorOf, faultOf } from './fault.ts'
import type { Order, Question, Word } from './messages.ts'
import { thinkingTime } from './thinking-time.ts'

export interface ThreadLimits {
  /** time of its own that the thread may take for one validation, ms */
  thinkingMs: number
  /** exchanges with the network for one validation, all together, ms; what is not there by then counts as not to be had */
  networkMs: number
}

export interface ValidationTask {
  document: RandomAccess
  /** what a detached signature is over; null: the document carries what it signs */
  content: RandomAccess | null
  now: Date
}

export interface ValidationThread {
  /**
   * One at a time.
   *
   * @throws SigningError as `validateDocument`; `signing/too-complex` too much time or memory, `signing/validation-lost`
   *   the thread ended
   */
  validate: (task: ValidationTask) => Promise<ValidationReport>
  /** True when it has ended; ask it no more. */
  isGone: () => boolean
  close: () => Promise<void>
}

export function attendThread(worker: Worker, http: Http, limits: ThreadLimits): ValidationThread {
  let gone = false
  worker.once('exit', () => (gone = true))
  worker.on('error', () => (gone = true)) // told to whoever waits, in `converse`
  worker.unref()
  return {
    async validate(task) {
      worker.ref()
      try {
        return await converse(worker, answersFor(task, http, limits), { task, limits })
      } catch (error) {
        if (error instanceof Ended) {
          gone = true
          void worker.terminate()
          throw error.fault
        }
        throw error
      } finally {
        worker.unref()
      }
    },
    isGone: () => gone,
    close: async () => {
      gone = true
      await worker.terminate()
    },
  }
}

/** The thread is of no use any more. */
class Ended extends Error {
  readonly fault: SigningError

  constructor(fault: SigningError) {
    super(fault.message)
    this.fault = fault
  }
}

type Answers = (question: Question) => Promise<Order>

function converse(
  worker: Worker,
  answers: Answers,
  { task, limits }: { task: ValidationTask; limits: ThreadLimits },
): Promise<ValidationReport> {
  return new Promise((resolve, reject) => {
    const time = thinkingTime(limits.thinkingMs, () => {
      settle()
      reject(new Ended(tooComplex('it takes too long')))
    })
    const onWord = (word: Word): void => {
      switch (word.kind) {
        case 'begun':
          time.go()
          return
        case 'read':
        case 'fetch':
          time.pause()
          void answers(word).then((order) => {
            time.go()
            post(worker, order)
          })
          return
        case 'judged':
          settle()
          resolve(word.report)
          return
        case 'failed':
          settle()
          reject(errorOf(word.fault))
      }
    }
    const onError = (error: Error): void => {
      settle()
      reject(new Ended(isOutOfMemory(error) ? tooComplex('it takes too much memory') : lost(error)))
    }
    const onExit = (): void => {
      settle()
      reject(new Ended(lost()))
    }
    function settle(): void {
      time.end()
      worker.off('message', onWord).off('error', onError).off('exit', onExit)
    }
    worker.on('message', onWord).on('error', onError).on('exit', onExit)
    const { document, content, now } = task
    post(worker, { kind: 'validate', now, size: document.size, contentSize: content?.size ?? null })
  })
}

/** Never rejects: a fault is an answer too. */
function answersFor({ document, content }: ValidationTask, http: Http, { networkMs }: ThreadLimits): Answers {
  const bounded = withinTotal(http, networkMs)
  return async (question) => {
    const { id } = question
    try {
      if (question.kind === 'fetch') {
        const { status, headers, body } = await bounded(question.request)
        return { kind: 'response', id, status, headers, body: Uint8Array.from(body) }
      }
      const source = question.of === 'content' ? content : document
      if (source === null) throw new Error('the thread asks for content that is not there')
      // a copy of exactly these bytes: what lies around them in memory must not travel along
      return { kind: 'bytes', id, bytes: Uint8Array.from(await source.read(question.position, question.length)) }
    } catch (error) {
      return { kind: 'refused', id, fault: faultOf(error) }
    }
  }
}

function withinTotal(http: Http, totalMs: number): Http {
  let leftMs = totalMs
  return async (request: HttpRequest) => {
    if (leftMs <= 0) throw new SigningError('signing/fetch-failed', 'the document asks for too much')
    const since = performance.now()
    try {
      const timeoutMs = Math.ceil(Math.min(request.timeoutMs, leftMs))
      const body = request.body === undefined ? {} : { body: Buffer.from(request.body) }
      return await http({ ...request, ...body, timeoutMs })
    } finally {
      leftMs -= performance.now() - since
    }
  }
}

function post(worker: Worker, order: Order): void {
  const moved = order.kind === 'bytes' ? [order.bytes.buffer] : order.kind === 'response' ? [order.body.buffer] : []
  worker.postMessage(order, moved as ArrayBuffer[])
}

const isOutOfMemory = (error: Error): boolean => 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'

const tooComplex = (why: string): SigningError =>
  new SigningError('signing/too-complex', `the validation ended: ${why}`)

function lost(cause?: Error): SigningError {
  return new SigningError('signing/validation-lost', 'the thread that validated has ended', { cause })
}
