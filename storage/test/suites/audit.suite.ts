/** The audit log: what verification finds, and that transactions at the same time leave one chain. */
import assert from 'node:assert/strict'

import { sql } from 'kysely'

import type { AuditVerdict } from '../../audit-log.ts'
import { openInstallation } from '../../installation.ts'
import type { DatabaseConfig } from '../../metadata/database.ts'
import type { Db } from '../../metadata/schema.ts'
import { codeIs } from '../support/codes.ts'
import { OPERATOR, openHouse, type House } from '../support/databases.ts'

export function auditSuite(fresh: () => Promise<DatabaseConfig>): void {
  let house: House
  let storage: House['storage']
  const ENTRIES = 12

  beforeEach(async function () {
    this.timeout(30_000)
    house = await openHouse(await fresh())
    storage = house.storage
    for (let n = 2; n <= ENTRIES; n++) await append(n)
  })
  afterEach(() => storage.close())

  const append = (n: number) =>
    storage.audit.append({ action: 'test.done', subject: `s${n % 3}`, by: OPERATOR, detail: { n, ok: true } })
  const tamper = (work: (db: Db) => Promise<unknown>) => work(house.database.kysely)
  const broken = (seq: number, reason: string): AuditVerdict => ({ kind: 'broken', seq, reason }) as AuditVerdict
  const verdict = () => storage.audit.verify()
  const entry = (seq: number) =>
    house.database.kysely.selectFrom('audit_entry').selectAll().where('seq', '=', seq).executeTakeFirstOrThrow()

  it('is whole as it was written, across pages, and for another process', async function () {
    this.timeout(30_000)
    const whole = await verdict()
    assert.equal(whole.kind, 'whole')
    await storage.transact(async (rows) => {
      for (let n = 0; n < 1_100; n++) await rows.audit.append({ action: 'test.many', subject: null, by: OPERATOR })
    })
    const again = await openHouse(house.config, { keys: house.keys })
    const more = await again.storage.audit.verify()
    assert.deepEqual([more.kind, more.kind === 'whole' && more.entries], ['whole', ENTRIES + 1_100])
    await again.storage.close()
  })

  it('begins with the installation itself', async () => {
    const { items, next } = await storage.audit.list({ limit: 1 })
    assert.deepEqual([items[0]?.seq, items[0]?.action, next], [1, 'audit.begun', '1'])
    const rest = await storage.audit.list({ limit: 2, after: next, subject: 's0' })
    assert.deepEqual(
      rest.items.map((item) => item.seq),
      [3, 6],
    )
    await assert.rejects(storage.audit.list({ after: '1 or 1=1' }), codeIs('storage/bad-value'))
  })

  for (const [what, changes] of [
    ['the time', { at: 1 }],
    ['the actor', { actor: 'berta' }],
    ['the kind of actor', { actor_kind: 'system' }],
    ['the action', { action: 'test.undone' }],
    ['the subject', { subject: null }],
    ['one letter of the detail', { detail: '{"n":8,"ok":true}' }],
    ['the HMAC', { mac: Buffer.alloc(32) }],
    ['the chain value', { chain: Buffer.alloc(32) }],
  ] as const) {
    it(`names the entry in which ${what} was altered`, async () => {
      await tamper((db) => db.updateTable('audit_entry').set(changes).where('seq', '=', 7).execute())
      assert.deepEqual(await verdict(), broken(7, 'altered'))
    })
  }

  it('names the newest entry when its chain value was altered', async () => {
    await tamper((db) =>
      db
        .updateTable('audit_entry')
        .set({ chain: Buffer.alloc(32) })
        .where('seq', '=', ENTRIES)
        .execute(),
    )
    assert.equal((await verdict()).kind, 'broken')
  })

  it('names a missing entry in the middle, and the first one', async () => {
    await tamper((db) => db.deleteFrom('audit_entry').where('seq', '=', 5).execute())
    assert.deepEqual(await verdict(), broken(5, 'missing'))
    await tamper((db) => db.deleteFrom('audit_entry').where('seq', '=', 1).execute())
    assert.deepEqual(await verdict(), broken(1, 'missing'))
  })

  it('names the first of two that changed places', async () => {
    for (const [one, two] of [
      [4, 5],
      [4, 9],
    ] as const) {
      await tamper((db) =>
        db
          .updateTable('audit_entry')
          .set({ seq: sql`-seq` })
          .where('seq', 'in', [one, two])
          .execute(),
      )
      await tamper((db) => db.updateTable('audit_entry').set({ seq: two }).where('seq', '=', -one).execute())
      await tamper((db) => db.updateTable('audit_entry').set({ seq: one }).where('seq', '=', -two).execute())
      assert.deepEqual(await verdict(), broken(4, 'reordered'))
    }
  })

  it('names the place where an entry was taken out and the others closed up', async () => {
    await tamper((db) => db.deleteFrom('audit_entry').where('seq', '=', 6).execute())
    for (let seq = 7; seq <= ENTRIES; seq++) {
      await tamper((db) =>
        db
          .updateTable('audit_entry')
          .set({ seq: seq - 1 })
          .where('seq', '=', seq)
          .execute(),
      )
    }
    assert.deepEqual(await verdict(), broken(6, 'reordered'))
  })

  it('names an entry that repeats an older one', async () => {
    const old = await entry(3)
    const { at, actor_kind, actor, action, subject, detail, mac, chain } = old
    const copy = { at, actor_kind, actor, action, subject, detail, mac, chain }
    await tamper((db) => db.updateTable('audit_entry').set(copy).where('seq', '=', 8).execute())
    assert.deepEqual(await verdict(), broken(8, 'reordered'))
  })

  it('notices that the newest entries were cut off', async () => {
    await tamper((db) =>
      db
        .deleteFrom('audit_entry')
        .where('seq', '>=', ENTRIES - 1)
        .execute(),
    )
    assert.deepEqual(await verdict(), broken(ENTRIES - 1, 'cut-off'))
  })

  it('notices it also when the head was set back to the entry before', async () => {
    const { chain, mac } = await entry(ENTRIES - 1)
    await tamper((db) => db.deleteFrom('audit_entry').where('seq', '=', ENTRIES).execute())
    await tamper((db) =>
      db
        .updateTable('audit_head')
        .set({ seq: ENTRIES - 1, chain })
        .execute(),
    )
    assert.deepEqual(await verdict(), broken(ENTRIES, 'cut-off'))
    await tamper((db) => db.updateTable('audit_head').set({ seal: mac }).execute())
    assert.deepEqual(await verdict(), broken(ENTRIES, 'cut-off'))
  })

  it('notices that the head alone is gone, and lets nothing happen without evidence', async () => {
    await tamper((db) => db.deleteFrom('audit_head').execute())
    assert.deepEqual(await verdict(), broken(ENTRIES + 1, 'missing'))
    const act = storage.rooms.create({ name: 'ohne Beleg', level: 'SB3' }, OPERATOR)
    await assert.rejects(act, codeIs('storage/audit-broken'))
    assert.equal(await storage.rooms.byName('ohne Beleg'), null)
  })

  it('notices that everything is gone: entries, or entries and head', async () => {
    await tamper((db) => db.deleteFrom('audit_entry').execute())
    assert.deepEqual(await verdict(), broken(1, 'cut-off'))
    await tamper((db) => db.deleteFrom('audit_head').execute())
    assert.deepEqual(await verdict(), broken(1, 'missing'))
  })

  it('does not begin anew in a database that was in use when the key of the log is deleted too', async () => {
    await storage.rooms.create({ name: 'Zeuge', level: 'SB3' }, OPERATOR)
    await tamper((db) => db.deleteFrom('audit_entry').execute())
    await tamper((db) => db.deleteFrom('audit_head').execute())
    await tamper((db) => db.deleteFrom('key_scope').where('id', '=', 'system').execute())
    const start = openInstallation({ database: house.database, folder: house.keys, ...house.world })
    await assert.rejects(start, codeIs('storage/audit-broken'))
  })

  it('names an entry that was added by hand behind the head', async () => {
    const last = await entry(ENTRIES)
    await tamper((db) =>
      db
        .insertInto('audit_entry')
        .values({ ...last, seq: ENTRIES + 1 })
        .execute(),
    )
    assert.deepEqual(await verdict(), broken(ENTRIES + 1, 'altered'))
  })

  it('stays one chain under transactions at the same time, some of which fail, from two processes', async function () {
    this.timeout(30_000)
    const other = await openHouse(house.config, { keys: house.keys })
    const houses = [storage, other.storage]
    const acts = Array.from({ length: 40 }, (_, n) =>
      (houses[n % 2] ?? storage).transact(async (rows) => {
        await rows.audit.append({ action: 'test.raced', subject: null, by: OPERATOR, detail: { n } })
        await rows.audit.append({ action: 'test.raced', subject: null, by: OPERATOR, detail: { n } })
        if (n % 5 === 0) throw new Error('no')
      }),
    )
    const results = await Promise.allSettled(acts)
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 32)
    const whole = await verdict()
    assert.deepEqual([whole.kind, whole.kind === 'whole' && whole.entries], ['whole', ENTRIES + 64])
    await other.storage.close()
  })

  it('can be verified while entries are being added', async function () {
    this.timeout(30_000)
    let verified = 0
    const adding = (async () => {
      for (let n = 0; n < 60; n++) await append(n)
    })()
    while (verified < 10) {
      assert.equal((await verdict()).kind, 'whole')
      verified++
    }
    await adding
    assert.equal((await verdict()).kind, 'whole')
  })
}
