/** The requests on a bucket and its whole objects, one verb each; see s3.ts. Parts: s3-multipart.ts. */
import { Readable } from 'node:stream'

import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'

import { release } from '../cipher/release.ts'
import { StorageError } from '../errors.ts'
import type { ObjectId } from '../ids.ts'
import { guard, ignoreAbsent } from './s3-faults.ts'

/** Where the objects lie and who speaks to the server. */
export interface BucketAccess {
  client: S3Client
  /** sends each request a single time, for what must not be repeated blindly */
  once: S3Client
  bucket: string
  /** put before every object id */
  prefix: string
}

export function addressOf({ bucket, prefix }: BucketAccess): (id: ObjectId) => { Bucket: string; Key: string } {
  return (id) => ({ Bucket: bucket, Key: prefix + id })
}

/** @throws StorageError `storage/objects-unavailable` more comes than was asked for */
async function fill(into: Uint8Array, body: AsyncIterable<Uint8Array> = Readable.from([])): Promise<number> {
  let filled = 0
  for await (const piece of body) {
    if (filled + piece.length > into.length) {
      throw new StorageError('storage/objects-unavailable', 'the object store sends more than it was asked for')
    }
    into.set(piece, filled)
    filled += piece.length
    release(piece)
  }
  return filled
}

export type Bucket = ReturnType<typeof createBucket>

export function createBucket(access: BucketAccess) {
  const { client } = access
  const target = addressOf(access)
  return {
    /** @throws StorageError `storage/objects-unavailable` the bucket does not exist or cannot be reached */
    check: async () => {
      // the first question: whoever starts or looks for a fault is not to wait as long as an upload would
      const patience = { abortSignal: AbortSignal.timeout(FIRST_ANSWER_MS) }
      await guard(
        () => client.send(new HeadBucketCommand({ Bucket: access.bucket }), patience),
        'storage/objects-unavailable',
      )
    },
    size: async (id: ObjectId): Promise<number | null> => {
      try {
        const head = await guard(() => client.send(new HeadObjectCommand(target(id))))
        return head.ContentLength ?? null
      } catch (error) {
        if (error instanceof StorageError && error.code === 'storage/object-absent') return null
        throw error
      }
    },
    put: async (id: ObjectId, bytes: Uint8Array) => {
      await guard(() => client.send(new PutObjectCommand({ ...target(id), Body: bytes })))
    },
    /** Reads as many bytes as `into` takes; returns how many there were. */
    read: async (id: ObjectId, position: number, into: Uint8Array) => {
      return await guard(async () => {
        const Range = `bytes=${position}-${position + into.length - 1}`
        const got = await client.send(new GetObjectCommand({ ...target(id), Range }))
        return fill(into, got.Body as AsyncIterable<Uint8Array> | undefined)
      })
    },
    delete: async (id: ObjectId) => {
      await guard(() => client.send(new DeleteObjectCommand(target(id)))).catch(ignoreAbsent)
    },
  }
}

const FIRST_ANSWER_MS = 10_000
