/** A program for a test: rotates the master key of a SQLite installation until it is killed. Arguments: database, folder. */
import { randomBytes } from 'node:crypto'

import { openKeyRing } from '../../cipher/key-ring.ts'
import { openDatabase } from '../../metadata/database.ts'
import { memoryLog } from './job-desk.ts'

const [path = '', folder = ''] = process.argv.slice(2)
const log = memoryLog()
const database = await openDatabase({ kind: 'sqlite', path }, log)
const keyRing = await openKeyRing({ database, folder, clock: () => new Date(), random: (n) => randomBytes(n), log })
process.stdout.write('rotating\n')
for (;;) await keyRing.rotateMaster()
