/** The sealing thread: answers the requests of sealer.ts in the order in which they come. */
import { parentPort } from 'node:worker_threads'

import { isStorageError } from '../errors.ts'
import type { SealerAnswer, SealerQuestion } from './sealer.ts'
import { createSealingDesk } from './sealing.ts'

const desk = createSealingDesk()

parentPort?.on('message', ({ id, request }: SealerQuestion) => {
  let answer: SealerAnswer
  try {
    answer = { id, result: desk.answer(request) }
  } catch (error) {
    // Error classes do not cross threads; what matters of ours is its message.
    answer = { id, damaged: isStorageError(error), message: error instanceof Error ? error.message : 'unknown' }
  }
  const moved = 'result' in answer && answer.result instanceof ArrayBuffer ? [answer.result] : []
  parentPort?.postMessage(answer, moved)
})
