import { onBothDatabases } from './support/databases.ts'
import { roomsSuite } from './suites/rooms.suite.ts'

onBothDatabases('rooms and files', roomsSuite)
