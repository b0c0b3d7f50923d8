/** The listings that the S3 adapter asks for, page by page; see s3.ts. */
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'

import { parseId } from '../ids.ts'
import type { StoredObject, UnfinishedObject } from './object-store.ts'
import type { BucketAccess } from './s3-bucket.ts'
import { guard } from './s3-faults.ts'

export function createListing({ client, bucket, prefix }: BucketAccess) {
  const idOf = (key: string | undefined) => (key ?? '').slice(prefix.length)
  return {
    list: async function* (): AsyncIterable<StoredObject> {
      let token: string | undefined
      do {
        const page = await guard(() =>
          client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token })),
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
      const Prefix = prefix + within
      let after: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {}
      while (after) {
        const place: object = after
        const page = await guard(() =>
          client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix, ...place })),
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

const OBJECT = /^[0-9a-f-]{36}$/
