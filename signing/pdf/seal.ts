/**
 * Seals a PDF after PAdES baseline B or T (ETSI EN 319 142-1): an approval signature in an incremental update.
 *
 * Not a byte of the document changes and no byte of it stays in memory: it flows through, is hashed on the way, and the
 * update follows it. Earlier signatures stay valid; a document that forbids a further one is refused.
 */
import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { withSignatureTimestamps } from '../cms/signature-timestamp.ts'
import { contentHash, signDigest } from '../cms/signed-data.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { piecesOf } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import { completeUpdate, digestWithUpdate, layOutSeal, withRoom } from './seal-layout.ts'
import type { SealLayout } from './seal-layout.ts'
import type { SealRequest, SealedPdf } from './seal-request.ts'

/**
 * Prepares the seal: reads the structure of the document, checks document and key, lays out the update.
 *
 * @throws SigningError `signing/not-a-pdf`, `signing/pdf-damaged`, `signing/pdf-encrypted`, `signing/pdf-locked`,
 * `signing/pdf-too-complex`, `signing/pdf-unsupported`, `signing/key-unusable`, `signing/bad-text`
 */
export async function sealPdf(source: RandomAccess, key: SigningKey, request: SealRequest): Promise<SealedPdf> {
  const layout = await layOutSeal(source, key, request)
  const { update, field, notices } = layout
  const task: Task = { source, key, request, layout, size: source.size + update.length }
  return {
    get size() {
      return task.size
    },
    kind: key.kind,
    field,
    notices,
    bytes: { [Symbol.asyncIterator]: () => sealedBytes(task) },
  }
}

interface Task {
  source: RandomAccess
  key: SigningKey
  request: SealRequest
  layout: SealLayout
  /** of the sealed document */
  size: number
}

async function* sealedBytes(task: Task): AsyncGenerator<Buffer, void> {
  const { source, key, request, layout } = task
  const hash = createHash(contentHash(key))
  for await (const bytes of piecesOf(source)) {
    hash.update(bytes)
    yield bytes
  }
  const update = await signUpdate(source, key, request, { layout, hash })
  task.size = source.size + update.length
  yield update
}

/**
 * The update alone, signed; laid out anew when the time-stamp is larger than expected.
 *
 * @param prepared `hash`: over the document before the update
 * @throws SigningError as the bytes of `sealPdf`
 */
export async function signUpdate(
  source: RandomAccess,
  key: SigningKey,
  request: SealRequest,
  prepared: { layout: SealLayout; hash: Hash },
): Promise<Buffer> {
  const { timestamps } = request
  const { layout: first, hash } = prepared
  if (timestamps === undefined) {
    return completeUpdate(first, source.size, await signDigest(digestWithUpdate(hash, first, source.size), key, null))
  }
  let layout: SealLayout | null = first
  return withRoom(timestamps.tokenBytes, async (tokenBytes) => {
    const current: SealLayout = layout ?? (await layOutSeal(source, key, request, tokenBytes))
    layout = null
    const cms = await signDigest(digestWithUpdate(hash.copy(), current, source.size), key, null)
    return completeUpdate(current, source.size, await withSignatureTimestamps(cms, timestamps))
  })
}
