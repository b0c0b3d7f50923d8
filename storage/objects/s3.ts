/**
 * Adapter: objects in an S3 bucket, large ones by multipart upload.
 *
 * Uses only what every S3 server does (docs/operations.md, "Object store"): no conditional writes, no checksum
 * trailers, no tagging, no lifecycle. Each body goes out with the SHA-256 of its bytes in the signature, so that the
 * server refuses a damaged one; parts are Buffers, so that the client may repeat them.
 */
import { S3Client } from '@aws-sdk/client-s3'

import { StorageError } from '../errors.ts'
import type { ObjectId } from '../ids.ts'
import type { FinishedParts, ObjectReader, ObjectStore, PartWriter } from './object-store.ts'
import { createBucket, type Bucket } from './s3-bucket.ts'

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
  /** ms until a request that does not move is given up */
  requestTimeoutMs?: number
}

/** @throws StorageError `storage/objects-unavailable` the bucket cannot be reached or does not exist */
export async function s3Objects(options: S3Options): Promise<ObjectStore> {
  const client = new S3Client({
    endpoint: options.endpoint,
    region: options.region,
    forcePathStyle: true,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    // Servers other than Amazon's refuse, or even store, the trailers that the default would send.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: options.connectionTimeoutMs ?? 3000,
      requestTimeout: options.requestTimeoutMs ?? 60_000,
      httpAgent: { keepAlive: true, maxSockets: 64 },
      httpsAgent: { keepAlive: true, maxSockets: 64 },
    },
  })
  const bucket = createBucket(client, options)
  await bucket.check()

  return {
    // Parts of 8, 32 and 128 MiB of plaintext: 10,000 of them end at about 945 GiB. FORMAT.md, "Parts".
    chunksInPart: (number) => (number <= 1000 ? 128 : number <= 3000 ? 512 : 2048),
    wantsDigest: true,
    readAhead: { bytes: 8 << 20, requests: 2 },
    put: (id, bytes) => bucket.put(id, bytes),
    openParts: (id, handle) => openParts(bucket, id, handle),
    complete: (id, parts) => complete(bucket, id, parts),
    abort: async (id, handle) => {
      if (handle !== null) await bucket.abort(id, handle)
      else for await (const begun of bucket.listUnfinished(id)) await bucket.abort(id, begun.handle)
    },
    open: async (id) => openReader(bucket, id),
    size: (id) => bucket.size(id),
    delete: (id) => bucket.delete(id),
    list: () => bucket.list(),
    listUnfinished: () => bucket.listUnfinished(),
    free: () => Promise.resolve(null),
    close: () => {
      client.destroy()
      return Promise.resolve()
    },
  }
}

async function openParts(bucket: Bucket, id: ObjectId, begun: string | null): Promise<PartWriter> {
  if (begun !== null) await bucket.stillBegun(id, begun)
  const handle = begun ?? (await bucket.begin(id))
  return {
    handle,
    putPart: (number, _position, part) =>
      bucket.putPart(id, { handle, number, bytes: part.bytes, sha256: part.sha256 }),
    // An answered request is durable: that is the store's promise.
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

/**
 * Completes, and after any answer but success asks what is so: an earlier call may have succeeded, or its answer may
 * have been lost on the way.
 */
async function complete(bucket: Bucket, id: ObjectId, finished: FinishedParts): Promise<void> {
  const { handle, receipts, bytes } = finished
  const counted = receipts.map((ETag, i) => ({ ETag, PartNumber: i + 1 }))
  try {
    await bucket.complete(id, handle, counted)
  } catch (error) {
    const size = await bucket.size(id)
    if (size !== null && size >= bytes) return
    const present = await bucket.listParts(id, handle)
    if (present.length <= counted.length) throw error
    // Some servers insist on hearing of every part that they hold. Parts of a writer that was cut off lie behind the
    // counted ones, where nobody reads.
    const first = present.slice(0, counted.length)
    const untouched = first.every(({ ETag, PartNumber }, i) => PartNumber === i + 1 && ETag === counted[i]?.ETag)
    if (!untouched) throw new StorageError('storage/object-damaged', 'a finished part was replaced', error)
    await bucket.complete(id, handle, present)
  }
}

async function openReader(bucket: Bucket, id: ObjectId): Promise<ObjectReader> {
  const size = await bucket.size(id)
  if (size === null) throw new StorageError('storage/object-absent', 'no such object')
  return {
    size,
    read: async (position, length) => {
      if (length === 0) return Buffer.alloc(0)
      if (position + length > size) throw new StorageError('storage/object-damaged', `object ends at ${size}`)
      const bytes = await bucket.read(id, position, length)
      if (bytes.length !== length)
        throw new StorageError('storage/object-damaged', `object ends before ${position + length}`)
      return bytes
    },
    close: () => Promise.resolve(),
  }
}
