import { onBothDatabases } from './support/databases.ts'
import { peopleSuite } from './suites/people.suite.ts'

onBothDatabases('people', peopleSuite)
