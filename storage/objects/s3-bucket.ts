/** The requests that the S3 adapter sends, one verb each; see s3.ts. */
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
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3'

import { StorageError } from '../errors.ts'
import { parseId, type ObjectId } from '../ids.ts'
import type { StoredObject, UnfinishedObject } from './object-store.ts'
import { guard } from './s3-faults.ts'

export type Bucket = ReturnType<typeof createBucket>

/**
 * The requests, one verb each.
 *
 * @param clients.once sends each request a single time, for what must not be repeated blindly
 */
export function createBucket(
  { client, once }: { client: S3Client; once: S3Client },
  options: { bucket: string; prefix: string },
) {
  const target = (id: ObjectId) => ({ Bucket: options.bucket, Key: options.prefix + id })
  const digests = knownDigests(client)
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
    /** @throws StorageError `storage/objects-unavailable` the bucket does not exist or cannot be reached */
    check: async () => {
      await guard(() => client.send(new HeadBucketCommand({ Bucket: options.bucket })), 'storage/objects-unavailable')
    },
    put: async (id: ObjectId, bytes: Uint8Array) => {
      await guard(() => client.send(new PutObjectCommand({ ...target(id), Body: bytes })))
    },
    begin: async (id: ObjectId) => {
      const begun = await guard(() => client.send(new CreateMultipartUploadCommand(target(id))))
      if (begun.UploadId === undefined)
        throw new StorageError('storage/objects-unavailable', 'no multipart id in answer')
      return begun.UploadId
    },
    putPart: async (
      id: ObjectId,
      part: { handle: string; number: number; bytes: Uint8Array; sha256: string | undefined },
    ) => {
      const command = new UploadPartCommand({
        ...target(id),
        UploadId: part.handle,
        PartNumber: part.number,
        Body: part.bytes,
        ContentLength: part.bytes.length,
      })
      if (part.sha256 !== undefined) digests.set(part.bytes, part.sha256)
      const sent = await guard(() => client.send(command))
      if (sent.ETag === undefined) throw new StorageError('storage/objects-unavailable', 'no ETag in answer to a part')
      return sent.ETag
    },
    /** Asks whether an unfinished object is still there. */
    stillBegun: async (id: ObjectId, handle: string) => {
      await guard(() => client.send(new ListPartsCommand({ ...target(id), UploadId: handle, MaxParts: 1 })))
    },
    listParts: async (id: ObjectId, handle: string): Promise<CompletedPart[]> => {
      const found: CompletedPart[] = []
      let marker: string | undefined
      do {
        const command = new ListPartsCommand({ ...target(id), UploadId: handle, PartNumberMarker: marker })
        const page = await guard(() => client.send(command))
        for (const { PartNumber, ETag } of page.Parts ?? []) found.push({ PartNumber, ETag })
        marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined
      } while (marker !== undefined)
      return found
    },
    complete: async (id: ObjectId, handle: string, parts: CompletedPart[]) => {
      const order = { ...target(id), UploadId: handle, MultipartUpload: { Parts: parts } }
      await guard(() => once.send(new CompleteMultipartUploadCommand(order)))
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
        after =
          page.IsTruncated === true
            ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
            : undefined
      }
    },
  }
}

/**
 * Digests of bodies that were hashed already, for the signer. Without them the client hashes each body itself, on the main
 * thread, or over TLS leaves it unprotected.
 */
function knownDigests(client: S3Client): WeakMap<object, string> {
  const digests = new WeakMap<object, string>()
  client.middlewareStack.add(
    (next) => (args) => {
      const { input, request } = args as { input: { Body?: unknown }; request: { headers: Record<string, string> } }
      const { Body } = input
      const sha256 = typeof Body === 'object' && Body !== null ? digests.get(Body) : undefined
      if (sha256 !== undefined) request.headers['x-amz-content-sha256'] = sha256
      return next(args)
    },
    { step: 'build', name: 'knownDigests' },
  )
  return digests
}

const OBJECT = /^[0-9a-f-]{36}$/

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof StorageError && error.code === 'storage/object-absent')) throw error
}
