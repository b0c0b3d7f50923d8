import { onBothDatabases } from './support/databases.ts'
import { sealBatchesSuite } from './suites/seal-batches.suite.ts'

onBothDatabases('batches of seals', sealBatchesSuite)
