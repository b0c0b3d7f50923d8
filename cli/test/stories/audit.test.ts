import assert from 'node:assert/strict'
import path from 'node:path'
import Database from 'libsql'
import { temporaryInstallation, type Installation } from '../support/cli.ts'

describe('audit verify', function () {
  this.timeout(60_000)
  let at: Installation
  beforeEach(async () => {
    at = temporaryInstallation()
    for (const name of ['A', 'B', 'C']) await at.json('unit', 'create', name)
  })
  afterEach(() => {
    at.end()
  })

  const change = (statement: string): number => {
    const database = new Database(path.join(at.folder, 'data', 'metadata.db'))
    try {
      return database.prepare(statement).run().changes
    } finally {
      database.close()
    }
  }

  it('finds the chain whole when nobody touched it', async () => {
    const verdict = (await at.json('audit', 'verify')) as { kind: string; entries: number }
    assert.equal(verdict.kind, 'whole')
    const entries = (await at.json('audit', 'list')) as { seq: number; action: string }[]
    assert.equal(entries.length, verdict.entries)
    assert.equal(entries.filter(({ action }) => action === 'unit.created').length, 3)
  })

  it('names the entry of which one byte was changed, with exit code 3', async () => {
    const entries = (await at.json('audit', 'list')) as { seq: number; action: string }[]
    const seq = entries.find(({ action }) => action === 'unit.created')?.seq ?? assert.fail('no such entry')
    assert.equal(change(`update audit_entry set action = 'unit.creates' where seq = ${seq}`), 1)
    const { code, err } = await at.cli('audit', 'verify')
    assert.equal(code, 3)
    assert.match(err, new RegExp(`^amtsbote: the audit chain is broken: entry ${seq} was altered`))
  })

  it('notices that the newest entry was cut off', async () => {
    assert.equal(change('delete from audit_entry where seq = (select max(seq) from audit_entry)'), 1)
    const { code, err } = await at.cli('audit', 'verify')
    assert.equal(code, 3)
    assert.match(err, /the audit chain is broken: entry \d+ and what followed were cut off/)
  })

  it('notices that an entry in the middle is missing', async () => {
    assert.equal(change('delete from audit_entry where seq = 2'), 1)
    const { code, err } = await at.cli('audit', 'verify')
    assert.equal(code, 3)
    assert.match(err, /the audit chain is broken: entry 2 is missing/)
  })
})
