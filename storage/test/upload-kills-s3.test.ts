import type { ObjectsConfig } from '../objects/open.ts'
import { s3Bucket } from './support/s3-server.ts'
import { killSuite, MIB } from './support/upload-killing.ts'
import { withS3 } from './support/with-s3.ts'

withS3('an upload', () => {
  const inBucket = async (): Promise<ObjectsConfig> => ({ kind: 's3', ...(await s3Bucket()) })
  killSuite('S3', inBucket, { size: 60 * MIB + 12_345, request: 17 * MIB + 777 })
})
