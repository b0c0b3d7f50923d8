import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openDatabase } from '../metadata/database.ts'
import type { Database, DatabaseConfig } from '../metadata/database.ts'
import { jobsSuite } from './suites/jobs.suite.ts'
import type { JobsBench } from './suites/jobs.suite.ts'
import { memoryLog } from './support/job-desk.ts'
import { describeWithPostgresql, sharedPostgresql } from './support/postgresql-server.ts'

function bench(config: DatabaseConfig, clean: () => void): JobsBench {
  const opened: Database[] = []
  return {
    async open() {
      const database = await openDatabase(config, memoryLog())
      opened.push(database)
      return database
    },
    async close() {
      await Promise.all(opened.map((database) => database.close()))
      clean()
    },
  }
}

describe('jobs on SQLite', function () {
  this.timeout(30_000)
  jobsSuite(() => {
    const folder = mkdtempSync(join(tmpdir(), 'amtsbote-jobs-'))
    const config = { kind: 'sqlite', path: join(folder, 'jobs.sqlite') } as const
    return Promise.resolve(
      bench(config, () => {
        rmSync(folder, { recursive: true })
      }),
    )
  })
})

describeWithPostgresql('jobs on PostgreSQL', function () {
  this.timeout(30_000)
  before(async function () {
    this.timeout(60_000)
    await sharedPostgresql()
  })
  jobsSuite(async () => {
    const url = await (await sharedPostgresql()).createDatabase()
    return bench({ kind: 'postgresql', url, maxConnections: 2 }, () => undefined)
  })
})
