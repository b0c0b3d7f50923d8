/** The sealing thread: answers the requests of sealer.ts in the order in which they come. */
import { parentPort } from 'node:worker_threads'

import { isStorageError } from '../errors.ts'
import type { SealerAnswer, SealerQuestion } from './sealer.ts'
import { createSealingDesk, type SealingRequest } from './sealing.ts'

const desk = createSealingDesk()
const shared = new Map<number, SharedArrayBuffer>()

parentPort?.on('message', (question: SealerQuestion) => {
  if (question.kind === 'share') shared.set(question.memory, question.bytes)
  else if (question.kind === 'unshare') shared.delete(question.memory)
  else answer(question.id, withMemory(question.request, question.memory))
})

function answer(id: number, request: SealingRequest): void {
  let answer: SealerAnswer
  try {
    answer = { id, result: desk.answer(request) }
  } catch (error) {
    // Error classes do not cross threads; what matters of ours is its message.
    answer = { id, damaged: isStorageError(error), message: error instanceof Error ? error.message : 'unknown' }
  }
  const moved = 'result' in answer && answer.result instanceof ArrayBuffer ? [answer.result] : []
  parentPort?.postMessage(answer, moved)
}

function withMemory(request: SealingRequest, memory: number): SealingRequest {
  return 'memory' in request ? { ...request, memory: shared.get(memory) ?? null } : request
}
