/** Scope keys, rotation of the master key, and what is said when keys are wrong, absent, damaged or destroyed. */
import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'

import { openKeyRing, type KeyRing } from '../../cipher/key-ring.ts'
import { newMasterKey, writeMasterKey } from '../../cipher/master-keys.ts'
import { openInstallation } from '../../installation.ts'
import type { ContentId, RoomId, ScopeId, SegmentId } from '../../ids.ts'
import type { Database, DatabaseConfig } from '../../metadata/database.ts'
import { codeIs } from '../support/codes.ts'
import { OPERATOR, openHouse, type House } from '../support/databases.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

export function keysSuite(fresh: () => Promise<DatabaseConfig>): void {
  let house: House
  let storage: House['storage']
  let rooms: [RoomId, RoomId, RoomId]
  let content: ContentId

  beforeEach(async function () {
    this.timeout(30_000)
    house = await openHouse(await fresh())
    storage = house.storage
    const make = async (name: string) => (await storage.rooms.create({ name, level: 'SB3' }, OPERATOR)).id
    rooms = [await make('a'), await make('b'), await make('c')]
    const stored = await storage.contents.put(rooms[0], Buffer.from('sealed before'))
    await storage.transact((rows) => stored.commit(rows.db))
    content = stored.contentId
  })
  afterEach(() => storage.close())

  const reopen = (folder = house.keys, database: Database = house.database): Promise<KeyRing> =>
    openKeyRing({ database, folder, ...house.world })
  const keyOf = (ring: KeyRing, scope: ScopeId) => ring.scopeKey(house.database.kysely, scope)
  const files = () => readdirSync(house.keys).filter((name) => name.endsWith('.key'))
  const pathOf = (id: string) => join(house.keys, `${id}.key`)

  it('makes the first master key private to its owner, and only once', async () => {
    assert.equal(files().length, 1)
    assert.equal(statSync(house.keys).mode & 0o777, 0o700)
    assert.equal(statSync(join(house.keys, files()[0] ?? '')).mode & 0o777, 0o600)
    const again = await openInstallation({ database: house.database, folder: house.keys, ...house.world })
    assert.equal(again.currentMasterKeyId(), house.keyRing.currentMasterKeyId())
    assert.equal(files().length, 1)
  })

  it('gives every scope a key of its own, and each process the same', async () => {
    const [one, two] = [await keyOf(house.keyRing, rooms[0]), await keyOf(house.keyRing, rooms[1])]
    assert.notDeepEqual(one, two)
    assert.deepEqual(await keyOf(await reopen(), rooms[0]), one)
    await assert.rejects(keyOf(house.keyRing, randomBytes(16).toString('hex') as RoomId), codeIs('storage/not-found'))
  })

  it('opens a sealed secret only under its scope and label', async () => {
    const { kysely: db } = house.database
    const [one, two] = rooms
    const sealed = await house.keyRing.sealBytes(db, one, 'pin', Buffer.from('1234'))
    assert.equal((await house.keyRing.openBytes(db, one, 'pin', sealed)).toString(), '1234')
    const damaged = codeIs('storage/key-damaged')
    await assert.rejects(house.keyRing.openBytes(db, one, 'puk', sealed), damaged)
    await assert.rejects(house.keyRing.openBytes(db, two, 'pin', sealed), damaged)
    await assert.rejects(house.keyRing.openBytes(db, one, 'pin', sealed.subarray(0, 20)), damaged)
    for (const at of [0, 15, sealed.length - 1]) {
      const altered = Buffer.from(sealed)
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
      await assert.rejects(house.keyRing.openBytes(db, one, 'pin', altered), damaged)
    }
    const huge = house.keyRing.sealBytes(db, one, 'pin', Buffer.alloc(65_537))
    await assert.rejects(huge, codeIs('storage/bad-value'))
  })

  it('opens a segment key only for its segment', () => {
    const [scope, key] = [randomBytes(32), randomBytes(32)]
    const wrapped = house.keyRing.wrapSegmentKey(scope, 's1' as SegmentId, key)
    assert.equal(wrapped.length, 60)
    assert.deepEqual(house.keyRing.unwrapSegmentKey(scope, 's1' as SegmentId, wrapped), key)
    const other = () => house.keyRing.unwrapSegmentKey(scope, 's2' as SegmentId, wrapped)
    assert.throws(other, codeIs('storage/key-damaged'))
  })

  it('rotates: one new file, every key rewrapped, contents and log as before', async () => {
    const before = await Promise.all(rooms.map((room) => keyOf(house.keyRing, room)))
    const [old] = files()
    const segments = () => house.database.kysely.selectFrom('segment').selectAll().execute()
    const untouched = await segments()
    const result = await storage.keys.rotateMaster(OPERATOR)
    assert.deepEqual([result.rewrapped, result.removed], [4, [old?.replace('.key', '')]])
    assert.deepEqual(files(), [`${result.masterKeyId}.key`])
    assert.deepEqual(await segments(), untouched)
    const ring = await reopen()
    assert.deepEqual(await Promise.all(rooms.map((room) => keyOf(ring, room))), before)
    assert.equal((await buffer((await storage.contents.open(content)).stream)).toString(), 'sealed before')
    assert.equal((await storage.audit.verify()).kind, 'whole')
  })

  it('lets a running process go on after a rotation elsewhere: it reads the folder once more', async () => {
    const elsewhere = await reopen()
    const { masterKeyId } = await elsewhere.rotateMaster()
    house.clock.turn(60_000)
    assert.equal((await keyOf(house.keyRing, rooms[0])).length, 32)
    assert.equal(house.keyRing.currentMasterKeyId(), masterKeyId)
  })

  it('does not let a process that has not heard of it add a key under the old one', async () => {
    const elsewhere = await reopen()
    const { masterKeyId } = await elsewhere.rotateMaster()
    const room = await storage.rooms.create({ name: 'danach', level: 'SB3' }, OPERATOR)
    const row = await house.database.kysely
      .selectFrom('key_scope')
      .select('master_key_id')
      .where('id', '=', room.id)
      .executeTakeFirst()
    assert.equal(row?.master_key_id, masterKeyId)
    assert.equal((await keyOf(await reopen(), room.id)).length, 32)
  })

  it('rotates while rooms are being made, and loses none of their keys', async function () {
    this.timeout(30_000)
    const other = await openHouse(house.config, { keys: house.keys })
    const made: RoomId[] = []
    const making = (async () => {
      for (let n = 0; n < 30; n++)
        made.push((await other.storage.rooms.create({ name: `r${n}`, level: 'SB3' }, OPERATOR)).id)
    })()
    for (let n = 0; n < 4; n++) await storage.keys.rotateMaster(OPERATOR)
    await making
    assert.equal(files().length, 1)
    const ring = await reopen()
    for (const room of [...rooms, ...made]) assert.equal((await keyOf(ring, room)).length, 32)
    await other.storage.close()
  })

  for (const moment of ['before', 'after'] as const) {
    it(`completes a rotation that ended ${moment} any of its transactions`, async function () {
      this.timeout(30_000)
      const before = await Promise.all(rooms.map((room) => keyOf(house.keyRing, room)))
      let ended = 0
      for (let nth = 1; nth < 20; nth++) {
        const faulty = endAt(house.database, nth, moment)
        const ring = await reopen(house.keys, faulty)
        const failed = await ring.rotateMaster().then(
          () => false,
          () => true,
        )
        if (!failed) break
        ended++
        const between = await reopen()
        for (const [index, room] of rooms.entries()) assert.deepEqual(await keyOf(between, room), before[index])
        const { masterKeyId } = await (await reopen()).rotateMaster()
        assert.deepEqual(files(), [`${masterKeyId}.key`])
      }
      assert.ok(ended >= 4, `ended ${ended} times`)
      const after = await reopen()
      for (const [index, room] of rooms.entries()) assert.deepEqual(await keyOf(after, room), before[index])
    })
  }

  it('rotates forwards when the clock of this machine is behind', async () => {
    house.clock.turn(-86_400_000)
    const old = house.keyRing.currentMasterKeyId()
    const { masterKeyId, removed } = await storage.keys.rotateMaster(OPERATOR)
    assert.notEqual(masterKeyId, old)
    assert.deepEqual(removed, [old])
  })

  it('says wrong key when the folder holds another installation’s', async () => {
    const elsewhere = join(temporaryFolder(), 'master')
    await writeMasterKey(elsewhere, newMasterKey(house.world))
    const ring = await reopen(elsewhere)
    await assert.rejects(keyOf(ring, rooms[0]), codeIs('storage/wrong-key'))
    await assert.rejects(ring.rotateMaster(), codeIs('storage/wrong-key'))
  })

  it('says that the key is absent when the folder is empty, and makes no new one', async () => {
    const elsewhere = temporaryFolder()
    const open = openInstallation({ database: house.database, folder: elsewhere, ...house.world })
    await assert.rejects(open, codeIs('storage/key-absent'))
    assert.deepEqual(readdirSync(elsewhere), [])
  })

  it('says that a key file is damaged: altered, cut, emptied, or under another name', async () => {
    const id = house.keyRing.currentMasterKeyId()
    const text = readFileSync(pathOf(id), 'utf8')
    const key = (JSON.parse(text) as { key: string }).key
    const altered = text.replace(key, Buffer.from(key, 'base64').reverse().toString('base64'))
    for (const bad of [altered, text.slice(0, 40), '', '{}', 'null', text.replace('/1', '/9')]) {
      writeFileSync(pathOf(id), bad)
      await assert.rejects(reopen(), codeIs('storage/key-damaged'))
    }
    writeFileSync(pathOf(id), text)
    renameSync(pathOf(id), pathOf('0123456789abcdef'))
    await assert.rejects(reopen(), codeIs('storage/key-damaged'))
  })

  it('says that a wrapped key is damaged: altered, or moved to another scope', async () => {
    const [one, two] = rooms
    const row = await house.database.kysely
      .selectFrom('key_scope')
      .select('wrapped_key')
      .where('id', '=', one)
      .executeTakeFirst()
    const wrapped = row?.wrapped_key ?? Buffer.alloc(0)
    const put = (id: RoomId, bytes: Buffer) =>
      house.database.kysely.updateTable('key_scope').set({ wrapped_key: bytes }).where('id', '=', id).execute()
    await put(two, wrapped)
    await put(
      one,
      Buffer.concat([wrapped.subarray(0, 30), Buffer.from([wrapped.readUInt8(30) ^ 1]), wrapped.subarray(31)]),
    )
    const ring = await reopen()
    for (const room of [one, two]) await assert.rejects(keyOf(ring, room), codeIs('storage/key-damaged'))
  })

  it('does not hand out a destroyed key, also not to a process that had it in memory', async () => {
    const room = rooms[1]
    const other = await reopen()
    await keyOf(other, room)
    await storage.rooms.destroyKey(room, OPERATOR)
    await assert.rejects(keyOf(house.keyRing, room), codeIs('storage/key-destroyed'))
    house.clock.turn(10_000)
    await assert.rejects(keyOf(other, room), codeIs('storage/key-destroyed'))
  })

  it('derives HMAC keys that stay the same over a rotation and differ by label', async () => {
    const { kysely: db } = house.database
    const one = await house.keyRing.hmacKey(db, 'audit')
    await storage.keys.rotateMaster(OPERATOR)
    const ring = await reopen()
    assert.deepEqual(await ring.hmacKey(db, 'audit'), one)
    assert.notDeepEqual(await ring.hmacKey(db, 'invitation-code'), one)
    // FORMAT.md, part "Keys": HKDF-SHA-256 (RFC 5869) with an empty salt, spelled out
    const extracted = createHmac('sha256', Buffer.alloc(32))
      .update(await keyOf(ring, 'system'))
      .digest()
    const expanded = createHmac('sha256', extracted)
      .update('amtsbote/1 hmac audit')
      .update(Buffer.from([1]))
      .digest()
    assert.deepEqual(one, expanded)
  })

  it('removes a half written key file with the next one', async () => {
    const master = newMasterKey(house.world)
    writeFileSync(`${pathOf(master.id)}.new`, 'half')
    assert.equal((await reopen()).currentMasterKeyId(), house.keyRing.currentMasterKeyId())
    await writeMasterKey(house.keys, master)
    assert.deepEqual(
      readdirSync(house.keys).filter((name) => name.endsWith('.new')),
      [],
    )
    rmSync(pathOf(master.id))
  })
}

/** A database whose `nth` transaction fails: before it begins, or after it has committed. */
function endAt(database: Database, nth: number, moment: 'before' | 'after'): Database {
  let count = 0
  return {
    ...database,
    transaction: async (work) => {
      count++
      if (count === nth && moment === 'before') throw new Error('ended')
      const result = await database.transaction(work)
      if (count === nth) throw new Error('ended')
      return result
    },
  }
}
