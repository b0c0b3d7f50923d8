/**
 * Adapter: objects in an S3 bucket, large ones by multipart upload.
 *
 * Uses only what every S3 server does (docs/operations.md, "Object store"): no conditional writes, no checksum
 * trailers, no tagging, no lifecycle. Each body goes out with the SHA-256 of its bytes in the signature, so that the
 * server refuses a damaged one; parts are Buffers, so that the client may repeat them.
 */
import { setTimeout as pause } from 'node:timers/promises'

import { S3Client, type CompletedPart, type S3ClientConfig } from '@aws-sdk/client-s3'

import { StorageError } from '../errors.ts'
import type { ObjectId } from '../ids.ts'
import type { FinishedParts, ObjectReader, ObjectStore, PartWriter } from './object-store.ts'
import { createBucket, type Bucket } from './s3-bucket.ts'
import { isAbout } from './s3-faults.ts'
import { createListing } from './s3-listing.ts'
import { createMultipart, type Multipart } from './s3-multipart.ts'

export interface S3Options {
  endpoint: string
  region: string
  bucket: string
  /** put before every object id, e.g. "amtsbote/" */
  prefix: string
  accessKeyId: string
  secretAccessKey: string
  /** ms until a connection stands */
  connectionTimeoutMs?: number
  /** ms until a request on which no byte moves is given up */
  idleTimeoutMs?: number
}

/** @throws StorageError `storage/objects-unavailable` the bucket cannot be reached or does not exist */
export async function s3Objects(options: S3Options): Promise<ObjectStore> {
  const client = new S3Client(clientConfig(options, 3))
  const once = new S3Client(clientConfig(options, 1))
  const access = { client, once, bucket: options.bucket, prefix: options.prefix }
  const [bucket, multipart, listing] = [createBucket(access), createMultipart(access), createListing(access)]
  await bucket.check()

  return {
    // Parts of 8, 32 and 128 MiB of plaintext: 10,000 of them end at about 945 GiB. FORMAT.md, "Parts".
    chunksInPart: (number) => (number <= 1000 ? 128 : number <= 3000 ? 512 : 2048),
    // Some of them are being filled, sealed or hashed: of eight, about five are on the line.
    partsInFlight: 8,
    wantsDigest: true,
    readAhead: { bytes: 8 << 20, requests: 2 },
    put: (id, bytes) => bucket.put(id, bytes),
    openParts: (id, handle) => openParts(multipart, id, handle),
    complete: (id, parts) => complete({ bucket, multipart }, id, parts),
    abort: async (id, handle) => {
      if (handle !== null) await multipart.abort(id, handle)
      else for await (const begun of listing.listUnfinished(id)) await multipart.abort(id, begun.handle)
    },
    open: async (id) => openReader(bucket, id),
    size: (id) => bucket.size(id),
    delete: (id) => bucket.delete(id),
    list: () => listing.list(),
    listUnfinished: () => listing.listUnfinished(),
    free: () => Promise.resolve(null),
    close: () => {
      client.destroy()
      once.destroy()
      return Promise.resolve()
    },
  }
}

/** @param maxAttempts how often the client itself sends a request that got no good answer */
function clientConfig(options: S3Options, maxAttempts: number): S3ClientConfig {
  return {
    endpoint: options.endpoint,
    region: options.region,
    forcePathStyle: true,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    // Servers other than Amazon's refuse, or even store, the trailers that the default would send.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts,
    // With `Expect: 100-continue` the client opens a connection of its own for each part, over TLS with a handshake each.
    expectContinueHeader: false,
    // One bucket, one set of middleware: making it anew costs as much as all the rest of a request.
    cacheMiddleware: true,
    requestHandler: {
      connectionTimeout: options.connectionTimeoutMs ?? 3000,
      // Counts from the last byte that moved: large parts and completions take long.
      socketTimeout: options.idleTimeoutMs ?? 60_000,
      httpAgent: { keepAlive: true, maxSockets: 64 },
      httpsAgent: { keepAlive: true, maxSockets: 64 },
    },
  }
}

async function openParts(multipart: Multipart, id: ObjectId, begun: string | null): Promise<PartWriter> {
  if (begun !== null) await multipart.stillBegun(id, begun)
  const handle = begun ?? (await multipart.begin(id))
  return {
    handle,
    putPart: (number, _position, part) =>
      multipart.putPart(id, { handle, number, bytes: part.bytes, sha256: part.sha256 }),
    // An answered request is durable: that is the store's promise.
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

const COMPLETE_TRIES = 3
const COMPLETE_PAUSE_MS = 200

/**
 * Completes, and after any answer but success asks before it tries again: an earlier call may have succeeded, or its
 * answer may have been lost on the way.
 */
async function complete(
  { bucket, multipart }: { bucket: Bucket; multipart: Multipart },
  id: ObjectId,
  finished: FinishedParts,
): Promise<void> {
  const { handle, receipts, bytes } = finished
  const counted = receipts.map((ETag, i) => ({ ETag, PartNumber: i + 1 }))
  let parts: CompletedPart[] = counted
  for (let tries = 1; ; tries++) {
    try {
      await multipart.complete(id, handle, parts)
      return
    } catch (error) {
      const size = await bucket.size(id)
      if (size !== null && size >= bytes) return
      const present = await multipart.listParts(id, handle)
      if (tries === COMPLETE_TRIES) throw error
      if (isAbout(error, 'InvalidPart')) parts = withSurplus(counted, present, error)
      else await pause(COMPLETE_PAUSE_MS * tries)
    }
  }
}

/**
 * Some servers insist on hearing of every part that they hold. Parts of a writer that was cut off lie behind the counted
 * ones, where nobody reads.
 *
 * @throws StorageError `storage/object-damaged` a counted part is not what it was
 */
function withSurplus(counted: CompletedPart[], present: CompletedPart[], cause: unknown): CompletedPart[] {
  const untouched = counted.every(({ ETag }, i) => present[i]?.PartNumber === i + 1 && present[i].ETag === ETag)
  if (!untouched) throw new StorageError('storage/object-damaged', 'a finished part was replaced', cause)
  return present
}

async function openReader(bucket: Bucket, id: ObjectId): Promise<ObjectReader> {
  const size = await bucket.size(id)
  if (size === null) throw new StorageError('storage/object-absent', 'no such object')
  return {
    size,
    read: async (position, into) => {
      const end = position + into.length
      if (into.length === 0) return
      if (end > size) throw new StorageError('storage/object-damaged', `object ends at ${size}`)
      const filled = await bucket.read(id, position, into)
      if (filled !== into.length) throw new StorageError('storage/object-damaged', `object ends before ${end}`)
    },
    close: () => Promise.resolve(),
  }
}
