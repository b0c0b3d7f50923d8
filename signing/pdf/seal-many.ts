/**
 * Seals many documents under one authorisation of the key: all are laid out, the key is asked once, then each gets its
 * value. What lies between the two is only in memory; a batch that is killed begins its portion again.
 */
import { X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { withSignatureTimestamps } from '../cms/signature-timestamp.ts'
import { contentHash, finishSignedData, prepareSignedData } from '../cms/signed-data.ts'
import type { PreparedSignedData } from '../cms/signed-data.ts'
import { SigningError } from '../errors.ts'
import { OPERATIONS, valueFits } from '../keys/algorithms.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { piecesOf } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import { createDigest } from '../trust/digest.ts'
import { fillContents } from './byte-range.ts'
import { hashFrom } from './digests.ts'
import { digestWithUpdate, layOutSeal } from './seal-layout.ts'
import type { SealLayout } from './seal-layout.ts'
import type { SealRequest, SealedPdf } from './seal-request.ts'
import { sealPdf } from './seal.ts'

/** One document of a batch: sealed, or why not. */
export type SealOutcome = { kind: 'sealed'; sealed: SealedPdf } | { kind: 'refused'; error: SigningError }

/**
 * Each document is read once now and once when its bytes are read; they throw `signing/source-changed` at their end when
 * it is another one by then. Memory: some 50 kB for each document, so a large batch comes in portions.
 *
 * @returns one outcome per document, in the same order; a document that cannot be sealed does not stop the others
 * @throws SigningError `signing/signature-failed` the key refused altogether; other faults than SigningError as they are
 */
export async function sealMany(
  sources: readonly RandomAccess[],
  key: SigningKey,
  request: SealRequest,
): Promise<SealOutcome[]> {
  const prepared: (Prepared | SigningError)[] = []
  for (const source of sources) prepared.push(await orRefusal(prepare(source, key, request)))
  const ready = prepared.filter(isPrepared)
  const values = ready.length === 0 ? [] : await key.sign(ready.map(({ signed }) => signed.attributes))
  for (const [index, one] of ready.entries()) one.value = values[index] ?? NOTHING
  const batch: Batch = { key, request, checkedWith: publicKeyFor(key), waiting: prepared.entries(), outcomes: [] }
  await Promise.all(Array.from({ length: Math.min(LANES, prepared.length) }, () => lane(batch)))
  return batch.outcomes
}

// No functions inside of functions from here on: those that are made anew for each batch or document lose their compiled
// code with each large garbage collection, and compiling them again took more time than the seals.

interface Batch {
  key: SigningKey
  request: SealRequest
  /** what values are verified with; null: they need not be */
  checkedWith: KeyObject | null
  waiting: IterableIterator<[number, Prepared | SigningError]>
  /** by the place of their document */
  outcomes: SealOutcome[]
}

/** A document that lacks only its signature value. */
interface Prepared {
  source: RandomAccess
  layout: SealLayout
  /** digest of the document and of the update without its hole */
  content: Buffer
  signed: PreparedSignedData
  value: Buffer
}

const isPrepared = (one: Prepared | SigningError): one is Prepared => !(one instanceof SigningError)

async function prepare(source: RandomAccess, key: SigningKey, request: SealRequest): Promise<Prepared> {
  const layout = await layOutSeal(source, key, request)
  const hash = await hashFrom(createDigest(contentHash(key)), source)
  const content = digestWithUpdate(hash, layout, source.size)
  return { source, layout, content, signed: prepareSignedData(content, key, null), value: NOTHING }
}

/**
 * Values of RSA were looked at where they were made; those of elliptic curves, in a batch, are looked at here (ADR 20).
 */
function publicKeyFor({ algorithm, certificateChain }: SigningKey): KeyObject | null {
  return OPERATIONS[algorithm].family === 'ecdsa' ? new X509Certificate(certificateChain[0]).publicKey : null
}

/** Time-stamps take long on the way and little here: a few lanes at a time take what waits. */
async function lane(batch: Batch): Promise<void> {
  for (const [index, one] of batch.waiting) {
    const sealed = one instanceof SigningError ? one : await orRefusal(finish(batch, one))
    batch.outcomes[index] =
      sealed instanceof SigningError ? { kind: 'refused', error: sealed } : { kind: 'sealed', sealed }
  }
}

async function finish({ key, request, checkedWith }: Batch, one: Prepared): Promise<SealedPdf> {
  const { signed, value, source, layout } = one
  if (checkedWith !== null && !valueFits(checkedWith, key.algorithm, signed.attributes, value)) {
    throw new SigningError('signing/signature-failed', 'the signature value does not fit what was to be signed')
  }
  const cms = finishSignedData(signed, value)
  const contents = request.timestamps === undefined ? cms : await withSignatureTimestamps(cms, request.timestamps)
  try {
    fillContents(layout.update, layout.range, source.size, contents)
    return joined(one, key)
  } catch (error) {
    // more room means other bytes to sign: this one is sealed alone
    if (error instanceof SigningError && error.code === 'signing/no-room') return sealPdf(source, key, request)
    throw error
  }
}

function joined(one: Prepared, key: SigningKey): SealedPdf {
  const { field, notices, update } = one.layout
  const size = one.source.size + update.length
  return { size, kind: key.kind, field, notices, bytes: { [Symbol.asyncIterator]: () => sealedBytes(one, key) } }
}

async function* sealedBytes({ source, layout, content }: Prepared, key: SigningKey): AsyncGenerator<Buffer, void> {
  const hash = createDigest(contentHash(key))
  for await (const bytes of piecesOf(source)) {
    hash.update(bytes)
    yield bytes
  }
  if (!digestWithUpdate(hash, layout, source.size).equals(content)) {
    throw new SigningError('signing/source-changed', 'the document is not the one that was signed')
  }
  yield layout.update
}

async function orRefusal<T>(work: Promise<T>): Promise<T | SigningError> {
  try {
    return await work
  } catch (error) {
    if (error instanceof SigningError) return error
    throw error
  }
}

const NOTHING = Buffer.alloc(0)
const LANES = 8
