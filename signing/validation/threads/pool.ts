/**
 * A few threads that validate documents, so that a hostile or large one keeps nobody else.
 *
 * Threads start with the first work, stay, and are replaced when they end. What waits is begun in the order it came.
 */
import type { Worker } from 'node:worker_threads'
import { SigningError } from '../../errors.ts'
import type { Http } from '../../http.ts'
import type { ValidationReport } from '../report.ts'
import { attendThread } from './thread.ts'
import type { ThreadLimits, ValidationTask, ValidationThread } from './thread.ts'

export interface ThreadPoolOptions {
  /** starts a thread that listens as inside.ts does */
  start: () => Worker
  http: Http
  threads: number
  limits: ThreadLimits
}

export interface ValidationThreads {
  /**
   * @throws SigningError as `validateDocument`; `signing/too-complex` too much time or memory, `signing/validation-lost`
   *   a thread ended, or too many wait
   */
  validate: (task: ValidationTask) => Promise<ValidationReport>
  /** What is under way or waits rejects with `signing/validation-lost`. */
  close: () => Promise<void>
}

export function createValidationThreads({ start, http, threads, limits }: ThreadPoolOptions): ValidationThreads {
  const all = new Set<ValidationThread>()
  const idle: ValidationThread[] = []
  const waiting: { begin: () => void; refuse: (error: SigningError) => void }[] = []
  let busy = 0
  let isClosed = false

  async function turn(): Promise<void> {
    if (busy < threads) {
      busy++
      return
    }
    if (waiting.length >= MOST_WAITING) throw new SigningError('signing/validation-lost', 'too many validations wait')
    await new Promise<void>((begin, refuse) => waiting.push({ begin, refuse }))
  }

  function pass(): void {
    const next = waiting.shift()
    if (next === undefined) busy--
    else next.begin()
  }

  function take(): ValidationThread {
    const free = idle.pop()
    if (free !== undefined && !free.isGone()) return free
    const thread = attendThread(start(), http, limits)
    for (const one of all) if (one.isGone()) all.delete(one)
    all.add(thread)
    return thread
  }

  async function validate(task: ValidationTask): Promise<ValidationReport> {
    await turn()
    try {
      if (isClosed) throw new SigningError('signing/validation-lost', 'the validation is closed')
      const thread = take()
      try {
        return await thread.validate(task)
      } finally {
        if (!thread.isGone()) idle.push(thread)
      }
    } finally {
      pass()
    }
  }

  async function close(): Promise<void> {
    isClosed = true
    for (const { refuse } of waiting.splice(0))
      refuse(new SigningError('signing/validation-lost', 'the validation is closed'))
    await Promise.all([...all].map((thread) => thread.close()))
  }

  return { validate, close }
}

const MOST_WAITING = 200
