/**
 * Thread of one session on a token: opens it when asked; hashes and signs messages one after the other, so that none of it
 * keeps the main thread.
 *
 * At every opening, a signature proves that key and certificate belong together. After that, verifying RSA values costs
 * little, and a wrong one could give the private key away: each is verified. Verifying an ECDSA value costs more than
 * making it: one that is asked for alone is verified, those of a batch are not (sealMany looks at them).
 */
import { X509Certificate, hash as hashOnce } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { SigningError } from '../../errors.ts'
import { OPERATIONS, PROOF, chosenAlgorithm, valueFits } from '../algorithms.ts'
import { toDerValue } from '../ecdsa-value.ts'
import type { SignatureAlgorithm } from '../signing-key.ts'
import { loadCryptoki } from './cryptoki.ts'
import { pack, unpack } from './packed.ts'
import type { OpenQuestion, SentQuestion, SignQuestion, TokenAnswer, TokenFault } from './session-thread.ts'
import { SessionLost } from './session-lost.ts'
import { openTokenSession } from './session.ts'
import type { TokenSession } from './session.ts'

interface OpenKey {
  session: TokenSession
  /** of the certificate */
  publicKey: KeyObject
}

/** Null until a session is open whose key belongs to the certificate. */
let current: OpenKey | null = null

parentPort?.on('message', (question: SentQuestion) => {
  parentPort?.postMessage(answerTo(question))
})

function answerTo(question: SentQuestion): TokenAnswer {
  try {
    return { kind: 'done', values: pack(question.kind === 'open' ? open(question) : signAll(question)) }
  } catch (error) {
    return { kind: 'failed', ...faultOf(error) }
  }
}

/** @returns the certificates in the token */
function open({ place, certificate, algorithm }: OpenQuestion): Buffer[] {
  current?.session.close()
  current = null
  const session = openTokenSession(loadCryptoki(place.module), place)
  try {
    const own = certificate ?? session.certificates[0]
    if (own === undefined) return []
    const { publicKey } = new X509Certificate(own)
    const key = { session, publicKey }
    signVerified(key, chosenAlgorithm(publicKey, algorithm ?? undefined), PROOF)
    current = key
    return session.certificates
  } finally {
    if (current === null) session.close()
  }
}

/** As many as the token signs in a while, one at least: the wait for an answer is bounded, whatever the token is. */
function signAll({ algorithm, messages }: SignQuestion): Buffer[] {
  if (current === null) throw new SessionLost('no session is open')
  const key = current
  const isBatchOfEcdsa = messages.lengths.length > 1 && OPERATIONS[algorithm].family === 'ecdsa'
  const sign = isBatchOfEcdsa ? signOne : signVerified
  const end = performance.now() + TURN_MS
  const values: Buffer[] = []
  for (const message of unpack(messages)) {
    values.push(sign(key, algorithm, message))
    if (performance.now() > end) break
  }
  return values
}

function signVerified(key: OpenKey, algorithm: SignatureAlgorithm, message: Buffer): Buffer {
  const value = signOne(key, algorithm, message)
  if (valueFits(key.publicKey, algorithm, message, value)) return value
  throw new SigningError('signing/signature-failed', 'the value from the token does not fit the certificate')
}

function signOne({ session }: OpenKey, algorithm: SignatureAlgorithm, message: Buffer): Buffer {
  const { hash, family } = OPERATIONS[algorithm]
  // by way of a string: a digest that comes as a Buffer has memory of its own, which costs as much as the hashing
  const digest = Buffer.from(hashOnce(hash, message, 'binary'), 'latin1')
  const value = session.sign({ hash, family }, digest)
  return family === 'ecdsa' ? toDerValue(value) : value
}

/** Errors do not keep their class between threads. */
function faultOf(error: unknown): TokenFault {
  if (error instanceof SessionLost) return { code: 'lost', message: error.message }
  if (!(error instanceof SigningError)) throw error
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return { code: error.code, message: `${error.message}${cause}` }
}

const TURN_MS = 200
