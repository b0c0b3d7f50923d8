import { join } from 'node:path'

import type { ObjectsConfig } from '../objects/open.ts'
import { killSuite, MIB } from './support/upload-killing.ts'

describe('an upload', () => {
  const onDisk = (folder: string): Promise<ObjectsConfig> =>
    Promise.resolve({ kind: 'filesystem', root: join(folder, 'objects') })
  killSuite('the filesystem', onDisk, { size: 60 * MIB + 12_345, request: 7 * MIB + 777 })
})
