/**
 * Thread of one session on a token: opens it when asked; hashes and signs messages one after the other and verifies every
 * value, so that none of it keeps the main thread.
 */
import { X509Certificate, hash as hashOnce } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { SigningError } from '../../errors.ts'
import { OPERATIONS, valueFits } from '../algorithms.ts'
import { toDerValue } from '../ecdsa-value.ts'
import type { SignatureAlgorithm } from '../signing-key.ts'
import { loadCryptoki } from './cryptoki.ts'
import type { TokenAnswer, TokenFault, TokenQuestion } from './session-thread.ts'
import { SessionLost, openTokenSession } from './session.ts'
import type { TokenSession } from './session.ts'

let session: TokenSession | null = null
let publicKey: KeyObject | null = null

parentPort?.on('message', (question: TokenQuestion) => {
  parentPort?.postMessage(answerTo(question))
})

function answerTo(question: TokenQuestion): TokenAnswer {
  try {
    return { kind: 'done', values: values(question) }
  } catch (error) {
    return { kind: 'failed', ...faultOf(error) }
  }
}

/** Certificates in the token, or signature values. */
function values(question: TokenQuestion): Uint8Array[] {
  if (question.kind === 'open') {
    session?.close()
    session = null
    session = openTokenSession(loadCryptoki(question.place.module), question.place)
    const own = question.certificate ?? session.certificates[0]
    publicKey = own === undefined ? null : new X509Certificate(own).publicKey
    return session.certificates
  }
  return question.messages.map((message) => signOne(question.algorithm, Buffer.from(message)))
}

function signOne(algorithm: SignatureAlgorithm, message: Buffer): Buffer {
  if (session === null || publicKey === null) throw new SessionLost('no session is open')
  const operation = OPERATIONS[algorithm]
  const raw = session.sign(operation, hashOnce(operation.hash, message, 'buffer'))
  const value = operation.family === 'ecdsa' ? toDerValue(raw) : raw
  if (valueFits(publicKey, algorithm, message, value)) return value
  throw new SigningError('signing/signature-failed', 'the value from the token does not fit the certificate')
}

/** Errors do not keep their class between threads. */
function faultOf(error: unknown): TokenFault {
  if (error instanceof SessionLost) return { code: 'lost', message: error.message }
  if (!(error instanceof SigningError)) throw error
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return { code: error.code, message: `${error.message}${cause}` }
}
