import { join } from 'node:path'

import { filesystemObjects } from '../objects/filesystem.ts'
import { s3Objects } from '../objects/s3.ts'
import { uploadFaultsSuite } from './suites/upload-faults.suite.ts'
import { s3Bucket } from './support/s3-server.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { withS3 } from './support/with-s3.ts'

const MIB = 1024 * 1024

describe('uploads on the filesystem, when things fail', () => {
  const story = { size: 4 * MIB + 99, cuts: [100, 2 * MIB + 7, 4 * MIB + 99], step: 2 }
  uploadFaultsSuite(() => filesystemObjects({ root: join(temporaryFolder(), 'objects') }), story)
})

withS3('uploads on S3, when things fail', () => {
  const story = { size: 17 * MIB + 99, cuts: [100, 9 * MIB + 7, 17 * MIB + 99], step: 5 }
  uploadFaultsSuite(async () => s3Objects(await s3Bucket()), story)
})
