/** The requests of multipart uploads that the S3 adapter sends, one verb each; see s3.ts. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3'

import { StorageError } from '../errors.ts'
import type { ObjectId } from '../ids.ts'
import { addressOf, type BucketAccess } from './s3-bucket.ts'
import { guard, ignoreAbsent } from './s3-faults.ts'

export type Multipart = ReturnType<typeof createMultipart>

export function createMultipart(access: BucketAccess) {
  const { client, once } = access
  const target = addressOf(access)
  const digests = knownDigests(client)
  return {
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
