/** Schema 1: everything that the first release keeps. Columns are documented in tables/*.ts. */
import type { Migration } from '../migration.ts'
import { contentTables } from './0001/contents.ts'
import { jobTables } from './0001/jobs.ts'
import { mailboxTables } from './0001/mailboxes.ts'
import { peopleTables } from './0001/people.ts'
import { roomTables } from './0001/rooms.ts'
import { workTables } from './0001/work.ts'

export const firstTables: Migration = {
  version: 1,
  statements: [...peopleTables, ...roomTables, ...contentTables, ...jobTables, ...workTables, ...mailboxTables],
}
