/** The inner side of a validation thread: hears orders, validates, asks the main thread for bytes and for the network. */
import { parentPort } from 'node:worker_threads'
import type { Http } from '../../http.ts'
import type { RandomAccess } from '../../random-access.ts'
import { validateDocument } from '../validate.ts'
import type { ValidationOptions } from '../validate.ts'
import { errorOf, faultOf } from './fault.ts'
import type { Order, Question, Word } from './messages.ts'

type Answer = Extract<Order, { id: number }>
type Asked = { kind: 'read'; of: 'document' | 'content'; position: number; length: number } | FetchAsked
type FetchAsked = Omit<Extract<Question, { kind: 'fetch' }>, 'id'>

/** What a validation is made with at `now`; asked anew for each, because trust changes. */
export type OptionsAt = (now: Date) => Promise<Omit<ValidationOptions, 'detached' | 'password'>>

/**
 * Listens from now on, for as long as the thread lives. Only in a thread.
 *
 * @param prepare is given the way to the network; called once
 */
export function validateWhenAsked(prepare: (http: Http) => OptionsAt): void {
  const port = parentPort
  if (port === null) throw new Error('this is no thread')
  const open = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>()
  let asked = 0
  const say = (word: Word): void => {
    port.postMessage(word)
  }
  const ask = (question: Asked): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const id = asked++
      open.set(id, { resolve, reject })
      say({ ...question, id })
    })
  const optionsAt = prepare(httpThrough(ask))

  async function validate({ now, size, contentSize }: Extract<Order, { kind: 'validate' }>): Promise<void> {
    try {
      const options = await optionsAt(now)
      say({ kind: 'begun' })
      const content = contentSize === null ? null : sourceThrough(ask, 'content', contentSize)
      const report = await validateDocument(sourceThrough(ask, 'document', size), {
        ...options,
        detached: () => content,
      })
      say({ kind: 'judged', report })
    } catch (error) {
      say({ kind: 'failed', fault: faultOf(error) })
    }
  }

  port.on('message', (order: Order) => {
    if (order.kind === 'validate') {
      void validate(order)
      return
    }
    const waiting = open.get(order.id)
    open.delete(order.id)
    if (order.kind === 'refused') waiting?.reject(errorOf(order.fault))
    else waiting?.resolve(order)
  })
}

type Ask = (question: Asked) => Promise<Answer>

function sourceThrough(ask: Ask, of: 'document' | 'content', size: number): RandomAccess {
  return {
    size,
    async read(position, length) {
      const answer = await ask({ kind: 'read', of, position, length })
      if (answer.kind !== 'bytes') throw new Error('not the answer to this question')
      return asBuffer(answer.bytes)
    },
  }
}

function httpThrough(ask: Ask): Http {
  return async (request) => {
    const answer = await ask({ kind: 'fetch', request })
    if (answer.kind !== 'response') throw new Error('not the answer to this question')
    const { status, headers, body } = answer
    return { status, headers, body: asBuffer(body) }
  }
}

const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length)
