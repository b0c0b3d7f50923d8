/**
 * Adapter: objects in an S3 bucket, large ones by multipart upload.
 *
 * Uses only what every S3 server does (docs/operations.md, "Object store"): no conditional writes, no checksum
 * trailers, no tagging, no lifecycle. Each body goes out with the SHA-256 of its bytes in the signature, so that the
 * server refuses a damaged one; parts are Buffers, so that the client may repeat them.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'

import { StorageError } from '../errors.ts'
import { parseId, type ObjectId } from '../ids.ts'
import type { FinishedParts, ObjectReader, ObjectStore, PartWriter, StoredObject, UnfinishedObject } from './object-store.ts'
import { guard } from './s3-faults.ts'

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
  await guard(() => client.send(new HeadBucketCommand({ Bucket: options.bucket })), 'storage/objects-unavailable')

  return {
    // Parts of 8, 32 and 128 MiB of plaintext: 10,000 of them end at about 945 GiB. FORMAT.md, "Parts".
    chunksInPart: (number) => (number <= 1000 ? 128 : number <= 3000 ? 512 : 2048),
    wantsDigest: true,
    readAhead: { bytes: 8 << 20, requests: 2 },
    put: (id, bytes) => bucket.put(id, bytes),
    openParts: (id, handle) => openParts(bucket, id, handle),
    complete: (id, parts) => bucket.complete(id, parts),
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

type Bucket = ReturnType<typeof createBucket>

/** The requests, one verb each. */
function createBucket(client: S3Client, options: S3Options) {
  const target = (id: ObjectId) => ({ Bucket: options.bucket, Key: options.prefix + id })
  const idOf = (key: string | undefined) => (key ?? '').slice(options.prefix.length)

  const size = async (id: ObjectId): Promise<number | null> => {
    try {
      const head = await guard(() => client.send(new HeadObjectCommand(target(id))))
      return head.ContentLength ?? null
    } catch (error) {
      if (error instanceof StorageError && error.code === 'storage/object-absent') return null
      throw error
    }
  }

  return {
    size,
    put: async (id: ObjectId, bytes: Uint8Array) => {
      await guard(() => client.send(new PutObjectCommand({ ...target(id), Body: bytes })))
    },
    begin: async (id: ObjectId) => {
      const begun = await guard(() => client.send(new CreateMultipartUploadCommand(target(id))))
      if (begun.UploadId === undefined) throw new StorageError('storage/objects-unavailable', 'no multipart id in answer')
      return begun.UploadId
    },
    putPart: async (id: ObjectId, part: { handle: string; number: number; bytes: Uint8Array; sha256: string | undefined }) => {
      const command = new UploadPartCommand({
        ...target(id),
        UploadId: part.handle,
        PartNumber: part.number,
        Body: part.bytes,
        ContentLength: part.bytes.length,
      })
      signDigest(command, part.sha256)
      const sent = await guard(() => client.send(command))
      if (sent.ETag === undefined) throw new StorageError('storage/objects-unavailable', 'no ETag in answer to a part')
      return sent.ETag
    },
    /** Asks whether an unfinished object is still there. */
    stillBegun: async (id: ObjectId, handle: string) => {
      await guard(() => client.send(new ListPartsCommand({ ...target(id), UploadId: handle, MaxParts: 1 })))
    },
    complete: async (id: ObjectId, parts: FinishedParts) => {
      const Parts = parts.receipts.map((ETag, i) => ({ ETag, PartNumber: i + 1 }))
      try {
        await guard(() =>
          client.send(
            new CompleteMultipartUploadCommand({ ...target(id), UploadId: parts.handle, MultipartUpload: { Parts } }),
          ),
        )
      } catch (error) {
        // The outcome is unknown, or an earlier call has succeeded: ask, do not repeat.
        const found = await size(id)
        if (found === null || found < parts.bytes) throw error
      }
    },
    abort: async (id: ObjectId, handle: string) => {
      const command = new AbortMultipartUploadCommand({ ...target(id), UploadId: handle })
      await guard(() => client.send(command)).catch(ignoreAbsent)
    },
    read: async (id: ObjectId, position: number, length: number) => {
      return await guard(async () => {
        const Range = `bytes=${position}-${position + length - 1}`
        const got = await client.send(new GetObjectCommand({ ...target(id), Range }))
        return Buffer.from((await got.Body?.transformToByteArray()) ?? [])
      })
    },
    delete: async (id: ObjectId) => {
      await guard(() => client.send(new DeleteObjectCommand(target(id)))).catch(ignoreAbsent)
    },
    list: async function* (): AsyncIterable<StoredObject> {
      let token: string | undefined
      do {
        const page = await guard(() =>
          client.send(
            new ListObjectsV2Command({ Bucket: options.bucket, Prefix: options.prefix, ContinuationToken: token }),
          ),
        )
        for (const { Key, Size, LastModified } of page.Contents ?? []) {
          const id = idOf(Key)
          if (!OBJECT.test(id) || !LastModified) continue
          yield { id: parseId('object', id), size: Size ?? 0, changedAt: LastModified }
        }
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined
      } while (token !== undefined)
    },
    listUnfinished: async function* (within = ''): AsyncIterable<UnfinishedObject> {
      const Prefix = options.prefix + within
      let after: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {}
      while (after) {
        const place: object = after
        const page = await guard(() =>
          client.send(new ListMultipartUploadsCommand({ Bucket: options.bucket, Prefix, ...place })),
        )
        for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
          const id = idOf(Key)
          if (!OBJECT.test(id) || UploadId === undefined || !Initiated) continue
          yield { id: parseId('object', id), handle: UploadId, startedAt: Initiated }
        }
        after = page.IsTruncated === true ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined
      }
    },
  }
}

async function openParts(bucket: Bucket, id: ObjectId, begun: string | null): Promise<PartWriter> {
  if (begun !== null) await bucket.stillBegun(id, begun)
  const handle = begun ?? (await bucket.begin(id))
  return {
    handle,
    putPart: (number, _position, part) => bucket.putPart(id, { handle, number, bytes: part.bytes, sha256: part.sha256 }),
    // An answered request is durable: that is the store's promise.
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
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
      if (bytes.length !== length) throw new StorageError('storage/object-damaged', `object ends before ${position + length}`)
      return bytes
    },
    close: () => Promise.resolve(),
  }
}

/**
 * Hands the signer the digest of a body that was hashed already; without it the client hashes the body itself, on the
 * main thread, or over TLS leaves it unprotected.
 */
function signDigest(command: UploadPartCommand, sha256: string | undefined): void {
  if (sha256 === undefined) return
  command.middlewareStack.add(
    (next) => (args) => {
      const { request } = args
      if (typeof request === 'object' && request !== null && 'headers' in request) {
        Object.assign(request.headers as object, { 'x-amz-content-sha256': sha256 })
      }
      return next(args)
    },
    { step: 'build', name: 'knownDigest' },
  )
}

const OBJECT = /^[0-9a-f-]{36}$/

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof StorageError && error.code === 'storage/object-absent')) throw error
}
