/** Empties a bucket between two measurements, so that a server in memory does not fill up. */
import { setTimeout as pause } from 'node:timers/promises'
import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import type { S3Options } from '../../../storage/objects/s3.ts'

export function bucketClient({ endpoint, region, accessKeyId, secretAccessKey }: S3Options): S3Client {
  return new S3Client({
    ...{ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } },
    ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
  })
}

/** Ceph takes the bytes of a deleted object away up to 3 s later (rgw_gc_*, s3-server.ts), a second of computing for a GiB. */
const REMOVAL_MS = 4000

/** Resolves when the server is idle again: what one contender left behind must not be removed on the next one's time. */
export async function emptyBucket(s3: S3Options): Promise<void> {
  const client = bucketClient(s3)
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: s3.bucket }))
    if (Contents.length === 0) break
    const Objects = Contents.map(({ Key = '' }) => ({ Key }))
    await client.send(new DeleteObjectsCommand({ Bucket: s3.bucket, Delete: { Objects, Quiet: true } }))
  }
  client.destroy()
  await pause(REMOVAL_MS)
}
