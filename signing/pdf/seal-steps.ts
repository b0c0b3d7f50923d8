/**
 * Sealing in two steps, for keys that answer later (remote services, people who authorise) and for batches: everything up
 * to the signed attributes now, the rest when the signature value is there. Between them there is only data.
 */
import { createHash } from 'node:crypto'
import { withSignatureTimestamps } from '../cms/signature-timestamp.ts'
import { ALGORITHMS, contentHash, prepareSignedData } from '../cms/signed-data.ts'
import { SigningError } from '../errors.ts'
import type { SigningIdentity, SigningKey } from '../keys/signing-key.ts'
import { piecesOf } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import type { TimestampSource } from '../timestamp/client.ts'
import { parseCertificate } from '../trust/certificate.ts'
import { verifyValue } from '../trust/signature-value.ts'
import { hashedDocument } from './digests.ts'
import { completeUpdate, digestWithUpdate, layOutSeal } from './seal-layout.ts'
import type { SealLayout } from './seal-layout.ts'
import type { SealNotice, SealRequest, SealedPdf } from './seal-request.ts'

export interface PreparedSeal {
  /** what is to be signed: DER of the signed attributes. Services that take a digest get that of these bytes */
  signedAttributes: Buffer
  /** hash for it, as Node names it */
  digest: 'sha256' | 'sha384' | 'sha512'
  /** for `finishSeal`; survives JSON, and holds some ten thousand characters but no secret */
  resume: SealResume
}

/** Opaque; its fields may change, `version` says so. */
export interface SealResume {
  version: 1
  sourceBytes: number
  field: string
  notices: SealNotice[]
  gapStart: number
  gapEnd: number
  /** base64, as the following */
  update: string
  contentDigest: string
  certificateChain: string[]
  algorithm: SigningIdentity['algorithm']
  kind: SigningIdentity['kind']
  signatureBytes: number
}

/**
 * First step; reads the document once.
 *
 * @param request its time-stamps only say how much room they need
 * @throws SigningError as sealPdf, and `signing/source-changed`
 */
export async function prepareSeal(
  source: RandomAccess,
  key: SigningIdentity,
  request: SealRequest,
): Promise<PreparedSeal> {
  const layout = await layOutSeal(source, key, request)
  const hash = await hashedDocument(source).hash(contentHash(key))
  const content = digestWithUpdate(hash, layout, source.size)
  return {
    signedAttributes: prepareSignedData(content, key, null).attributes,
    digest: contentHash(key),
    resume: {
      version: 1,
      sourceBytes: source.size,
      field: layout.field,
      notices: layout.notices,
      ...layout.range,
      update: layout.update.toString('base64'),
      contentDigest: content.toString('base64'),
      certificateChain: key.certificateChain.map((certificate) => certificate.toString('base64')),
      algorithm: key.algorithm,
      kind: key.kind,
      signatureBytes: key.signatureBytes,
    },
  }
}

/**
 * Second step: the value is checked, time-stamped, and joined to the document, which must be the same as before.
 *
 * @param value over `signedAttributes`, by the algorithm of the key
 * @param timestamps for B-T
 * @returns its `bytes` throw `signing/source-changed` at their end when the document is another one now
 * @throws SigningError `signing/signature-failed` the value does not fit; `signing/timestamp-unavailable`
 * @throws SigningError `signing/no-room` the time-stamp is larger than foreseen: prepare again, with more room
 */
export async function finishSeal(
  source: RandomAccess,
  resume: SealResume,
  value: Buffer,
  timestamps?: TimestampSource,
): Promise<SealedPdf> {
  const { sourceBytes, gapStart, gapEnd, field, notices } = resume
  if (source.size !== sourceBytes) throw sourceChanged()
  const key = identityOf(resume)
  const content = Buffer.from(resume.contentDigest, 'base64')
  const prepared = prepareSignedData(content, key, null)
  checkValue(key, prepared.attributes, value)
  const cms = prepared.finish(value)
  const contents = timestamps === undefined ? cms : await withSignatureTimestamps(cms, timestamps)
  const layout: SealLayout = {
    field,
    notices,
    range: { gapStart, gapEnd },
    update: Buffer.from(resume.update, 'base64'),
  }
  const update = completeUpdate(layout, sourceBytes, contents)

  async function* sealedBytes(): AsyncGenerator<Buffer, void> {
    const hash = createHash(contentHash(key))
    for await (const bytes of piecesOf(source)) {
      hash.update(bytes)
      yield bytes
    }
    if (!digestWithUpdate(hash, layout, sourceBytes).equals(content)) throw sourceChanged()
    yield update
  }
  const size = sourceBytes + update.length
  return { size, kind: key.kind, field, notices, bytes: { [Symbol.asyncIterator]: sealedBytes } }
}

/** One document of a batch: sealed, or why not. */
export type SealOutcome = { kind: 'sealed'; sealed: SealedPdf } | { kind: 'refused'; error: SigningError }

/**
 * Seals many documents under one authorisation of the key. Each is read once now and once when its bytes are read.
 * Memory: some 50 kB for each document, so a large batch comes in portions.
 *
 * @returns one outcome per document, in the same order; a document that cannot be sealed does not stop the others
 * @throws SigningError `signing/signature-failed` the key refused altogether; other faults than SigningError as they are
 */
export async function sealMany(
  sources: readonly RandomAccess[],
  key: SigningKey,
  request: SealRequest,
): Promise<SealOutcome[]> {
  const prepared: (PreparedSeal | SigningError)[] = []
  for (const source of sources) prepared.push(await orRefusal(prepareSeal(source, key, request)))
  const ready = prepared.flatMap((one) => (one instanceof SigningError ? [] : [one]))
  const values = ready.length === 0 ? [] : await key.sign(ready.map(({ signedAttributes }) => signedAttributes))
  const valueOf = new Map(ready.map((one, index) => [one, values[index] ?? NOTHING]))
  return inLanes(sources, async (source, index): Promise<SealOutcome> => {
    const one = prepared[index] ?? new SigningError('signing/signature-failed', 'a document of the batch got lost')
    const sealed = one instanceof SigningError ? one : await orRefusal(finish(source, one))
    return sealed instanceof SigningError ? { kind: 'refused', error: sealed } : { kind: 'sealed', sealed }
  })

  function finish(source: RandomAccess, one: PreparedSeal): Promise<SealedPdf> {
    return finishSeal(source, one.resume, valueOf.get(one) ?? NOTHING, request.timestamps)
  }
}

/** Time-stamps take long on the way and little here: a few at a time. Results in the order of the items. */
async function inLanes<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const waiting = items.entries()
  const lane = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await work(item, index)
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

function identityOf(resume: SealResume): SigningIdentity {
  const { algorithm, kind, signatureBytes } = resume
  const [signer, ...issuers] = resume.certificateChain.map((text) => Buffer.from(text, 'base64'))
  return { certificateChain: [signer ?? NOTHING, ...issuers], algorithm, kind, signatureBytes }
}

function checkValue(key: SigningIdentity, signed: Buffer, value: Buffer): void {
  const { spki } = parseCertificate(key.certificateChain[0])
  const { signature: algorithm } = ALGORITHMS[key.algorithm]
  if (verifyValue({ algorithm, spki, signed }, value).kind === 'good') return
  throw new SigningError('signing/signature-failed', 'the signature value does not fit what was to be signed')
}

function sourceChanged(): SigningError {
  return new SigningError('signing/source-changed', 'the document is not the one that the seal was prepared for')
}

const NOTHING = Buffer.alloc(0)
const LANES = 8
