/**
 * Seals many documents under one authorisation of the key: all are laid out, the key is asked once, then each gets its
 * value. What lies between the two is only in memory; a batch that is killed begins its portion again.
 */
import { X509Certificate } from 'node:crypto'
import { withSignatureTimestamps } from '../cms/signature-timestamp.ts'
import { contentHash, prepareSignedData } from '../cms/signed-data.ts'
import type { PreparedSignedData } from '../cms/signed-data.ts'
import { SigningError } from '../errors.ts'
import { OPERATIONS, valueFits } from '../keys/algorithms.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { piecesOf } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import { createDigest } from '../trust/digest.ts'
import { hashFrom } from './digests.ts'
import { completeUpdate, digestWithUpdate, layOutSeal } from './seal-layout.ts'
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
  const ready = prepared.flatMap((one) => (one instanceof SigningError ? [] : [one]))
  const values = ready.length === 0 ? [] : await key.sign(ready.map(({ signed }) => signed.attributes))
  const valueOf = new Map(ready.map((one, index) => [one, values[index] ?? NOTHING]))
  const fits = valueCheck(key)
  return inLanes(prepared, async (one): Promise<SealOutcome> => {
    const sealed = one instanceof SigningError ? one : await orRefusal(finish(one, valueOf.get(one) ?? NOTHING))
    return sealed instanceof SigningError ? { kind: 'refused', error: sealed } : { kind: 'sealed', sealed }
  })

  async function finish(one: Prepared, value: Buffer): Promise<SealedPdf> {
    const { signed, source, layout } = one
    if (!fits(signed.attributes, value)) {
      throw new SigningError('signing/signature-failed', 'the signature value does not fit what was to be signed')
    }
    const cms = signed.finish(value)
    const contents = request.timestamps === undefined ? cms : await withSignatureTimestamps(cms, request.timestamps)
    try {
      return joined(one, key, completeUpdate(layout, source.size, contents))
    } catch (error) {
      // more room means other bytes to sign: this one is sealed alone
      if (error instanceof SigningError && error.code === 'signing/no-room') return sealPdf(source, key, request)
      throw error
    }
  }
}

/** A document that lacks only its signature value. */
interface Prepared {
  source: RandomAccess
  layout: SealLayout
  /** digest of the document and of the update without its hole */
  content: Buffer
  signed: PreparedSignedData
}

async function prepare(source: RandomAccess, key: SigningKey, request: SealRequest): Promise<Prepared> {
  const layout = await layOutSeal(source, key, request)
  const hash = await hashFrom(createDigest(contentHash(key)), source)
  const content = digestWithUpdate(hash, layout, source.size)
  return { source, layout, content, signed: prepareSignedData(content, key, null) }
}

function joined({ source, layout, content }: Prepared, key: SigningKey, update: Buffer): SealedPdf {
  async function* sealedBytes(): AsyncGenerator<Buffer, void> {
    const hash = createDigest(contentHash(key))
    for await (const bytes of piecesOf(source)) {
      hash.update(bytes)
      yield bytes
    }
    if (!digestWithUpdate(hash, layout, source.size).equals(content)) {
      throw new SigningError('signing/source-changed', 'the document is not the one that was signed')
    }
    yield update
  }
  const { field, notices } = layout
  const size = source.size + update.length
  return { size, kind: key.kind, field, notices, bytes: { [Symbol.asyncIterator]: sealedBytes } }
}

/** Values of RSA were looked at where they were made; those of elliptic curves, in a batch, are looked at here (ADR 20). */
function valueCheck({ algorithm, certificateChain }: SigningKey): (message: Buffer, value: Buffer) => boolean {
  if (OPERATIONS[algorithm].family !== 'ecdsa') return () => true
  const { publicKey } = new X509Certificate(certificateChain[0])
  return (message, value) => valueFits(publicKey, algorithm, message, value)
}

/** Time-stamps take long on the way and little here: a few at a time. Results in the order of the items. */
async function inLanes<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const waiting = items.entries()
  const lane = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane))
  return results
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
