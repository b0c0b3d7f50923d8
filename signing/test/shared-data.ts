/** Where the common test documents lie when they are beside the repository; suites that need them ask first. */
import { join } from 'node:path'

export const sharedData = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'signatures')
