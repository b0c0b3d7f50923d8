/** Rooms, members, files and settings as rows: the same on every database. */
import assert from 'node:assert/strict'

import type { FileId, RoomId, UserId } from '../../ids.ts'
import type { DatabaseConfig } from '../../metadata/database.ts'
import { codeIs } from '../support/codes.ts'
import { OPERATOR, openHouse, type House } from '../support/databases.ts'

export function roomsSuite(fresh: () => Promise<DatabaseConfig>): void {
  let house: House
  let storage: House['storage']
  let number = 0

  before(async function () {
    this.timeout(30_000)
    house = await openHouse(await fresh())
    storage = house.storage
  })
  after(() => storage.close())

  const newRoom = (name = `Raum ${++number}`) => storage.rooms.create({ name, level: 'SB3' }, OPERATOR)
  const newUser = () =>
    storage.users.create({ email: `u${++number}@stadt.example`, name: 'Anna', audience: 'staff' }, OPERATOR)
  const newFile = async (roomId: RoomId, name: string) => {
    const content = await storage.contents.put(roomId, Buffer.from(`content of ${name}`))
    return storage.transact(async (rows) => {
      await content.commit(rows.db)
      return rows.files.create({ roomId, name, contentId: content.contentId, state: 'released' }, OPERATOR)
    })
  }

  it('makes a room with a key of its own, each name once', async () => {
    const room = await newRoom('Bauakten Süd')
    assert.deepEqual([room.name, room.level, room.state, room.unitId], ['Bauakten Süd', 'SB3', 'open', null])
    assert.equal((await house.keyRing.scopeKey(house.database.kysely, room.id)).length, 32)
    await assert.rejects(newRoom('BAUAKTEN su\u0308d'), codeIs('storage/already-exists', /a room of this name/))
    assert.equal((await storage.rooms.byName('bauakten süd '))?.id, room.id)
    assert.equal(await storage.rooms.byName('Bauakten'), null)
    const scopes = await house.database.kysely.selectFrom('key_scope').select('id').execute()
    assert.equal(scopes.length, 2, 'the refused room left no key behind')
  })

  for (const name of ['', '   ', 'a\u202eb', 'a\nb', 'x'.repeat(201)]) {
    it(`refuses ${JSON.stringify(name.slice(0, 10))} as the name of a room`, async () => {
      await assert.rejects(newRoom(name), codeIs('storage/bad-value'))
    })
  }

  it('pages through rooms by name, and by level', async () => {
    for (let n = 0; n < 5; n++) await newRoom()
    await storage.rooms.create({ name: 'offen', level: 'SB2' }, OPERATOR)
    const names: string[] = []
    for (let after: string | null | undefined; after !== null;) {
      const page = await storage.rooms.list({ limit: 2, after: after ?? null })
      names.push(...page.items.map((room) => room.name))
      after = page.next
    }
    assert.deepEqual(
      [...names].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)),
      names,
    )
    const open = await storage.rooms.list({ level: 'SB2' })
    assert.deepEqual(
      open.items.map((room) => room.name),
      ['offen'],
    )
  })

  it('knows members, their roles, and the rooms of a user', async () => {
    const [room, other, user] = [await newRoom(), await newRoom(), await newUser()]
    await storage.rooms.addMember(room.id, user.id, 'reader', OPERATOR)
    await storage.rooms.addMember(other.id, user.id, 'contributor', OPERATOR)
    await storage.rooms.addMember(room.id, user.id, 'manager', OPERATOR)
    await storage.rooms.addMember(room.id, user.id, 'manager', OPERATOR)
    assert.equal(await storage.rooms.roleOf(room.id, user.id), 'manager')
    const { items } = await storage.rooms.members(room.id)
    assert.deepEqual(
      items.map((member) => [member.userId, member.role, member.email]),
      [[user.id, 'manager', user.email]],
    )
    const rooms = await storage.rooms.ofUser(user.id, { limit: 1 })
    const more = await storage.rooms.ofUser(user.id, { limit: 1, after: rooms.next })
    assert.deepEqual([...rooms.items, ...more.items].map((each) => each.role).sort(), ['contributor', 'manager'])
    assert.equal(more.next, null)
    const acts = (await storage.audit.list({ subject: room.id })).items.filter((e) => e.action === 'room.member-set')
    assert.equal(acts.length, 2, 'the same role again is no act')
    await storage.rooms.removeMember(room.id, user.id, OPERATOR)
    assert.equal(await storage.rooms.roleOf(room.id, user.id), null)
    await assert.rejects(storage.rooms.removeMember(room.id, user.id, OPERATOR), codeIs('storage/not-found'))
  })

  it('refuses members and rooms that do not exist', async () => {
    const nobody = '00000000-0000-4000-8000-000000000000'
    const room = await newRoom()
    const gone = codeIs('storage/not-found')
    await assert.rejects(storage.rooms.addMember(room.id, nobody as UserId, 'reader', OPERATOR), gone)
    await assert.rejects(storage.rooms.addMember(nobody as RoomId, (await newUser()).id, 'reader', OPERATOR), gone)
    await assert.rejects(storage.rooms.byId(nobody as RoomId), gone)
    await assert.rejects(storage.rooms.close(nobody as RoomId, OPERATOR), gone)
    await assert.rejects(storage.rooms.destroyKey(nobody as RoomId, OPERATOR), gone)
  })

  it('takes nothing new while closed, and keeps what it has', async () => {
    const room = await newRoom()
    const file = await newFile(room.id, 'a.pdf')
    await storage.rooms.close(room.id, OPERATOR)
    await storage.rooms.close(room.id, OPERATOR)
    await assert.rejects(newFile(room.id, 'b.pdf'), codeIs('storage/room-closed'))
    const { contentId } = (await storage.files.byId(file)).current
    const version = { contentId, state: 'released' } as const
    await assert.rejects(storage.files.addVersion(file, version, OPERATOR), codeIs('storage/room-closed'))
    assert.equal((await storage.files.versions(file)).length, 1)
    await storage.rooms.reopen(room.id, OPERATOR)
    assert.equal(await storage.files.addVersion(file, version, OPERATOR), 2)
  })

  it('changes name, level and unit, and notes the level before', async () => {
    const room = await newRoom()
    const unit = await storage.units.create({ name: `Amt ${++number}` }, OPERATOR)
    const changed = await storage.rooms.change(room.id, { name: 'Umbenannt', level: 'SB2', unitId: unit.id }, OPERATOR)
    assert.deepEqual([changed.name, changed.level, changed.unitId], ['Umbenannt', 'SB2', unit.id])
    const entry = (await storage.audit.list({ subject: room.id })).items.at(-1)
    assert.deepEqual(entry?.detail, { level: 'SB2', levelBefore: 'SB3', unit: unit.id, renamed: true })
  })

  it('lists files by name and pages through names that are the same', async () => {
    const room = await newRoom()
    for (const name of ['b.pdf', 'a.pdf', 'a.pdf', 'a.pdf', 'c\u0308.pdf']) await newFile(room.id, name)
    const names: string[] = []
    const ids = new Set<FileId>()
    for (let after: string | null | undefined; after !== null;) {
      const page = await storage.files.list(room.id, { limit: 2, after: after ?? null })
      for (const file of page.items) {
        names.push(file.name)
        ids.add(file.id)
      }
      after = page.next
    }
    assert.deepEqual(names, ['a.pdf', 'a.pdf', 'a.pdf', 'b.pdf', 'c\u0308.pdf'])
    assert.equal(ids.size, 5)
    assert.equal((await storage.files.byName(room.id, 'c\u0308.pdf'))?.name, 'c\u0308.pdf')
    assert.equal(await storage.files.byName(room.id, 'd.pdf'), null)
  })

  it('numbers versions without gaps, also when they are added at once', async () => {
    const room = await newRoom()
    const file = await newFile(room.id, 'a.pdf')
    const { contentId } = (await storage.files.byId(file)).current
    const version = { contentId, state: 'released', note: 'sealed', mediaType: 'application/pdf' } as const
    const numbers = await Promise.all(
      Array.from({ length: 5 }, () => storage.files.addVersion(file, version, OPERATOR)),
    )
    assert.deepEqual([...numbers].sort(), [2, 3, 4, 5, 6])
    const { current } = await storage.files.byId(file)
    assert.deepEqual([current.number, current.note, current.mediaType], [6, 'sealed', 'application/pdf'])
    assert.match(current.sha256 ?? '', /^[0-9a-f]{64}$/)
  })

  it('holds a version back until it is released', async () => {
    const room = await newRoom()
    const file = await newFile(room.id, 'a.pdf')
    const { contentId } = (await storage.files.byId(file)).current
    const held = await storage.files.addVersion(file, { contentId, state: 'held' }, OPERATOR)
    assert.equal((await storage.files.byId(file)).current.state, 'held')
    await storage.files.release(file, held, OPERATOR)
    assert.equal((await storage.files.byId(file)).current.state, 'released')
    await assert.rejects(storage.files.release(file, held, OPERATOR), codeIs('storage/wrong-state'))
  })

  it('makes an erased file unreadable at once and plans the deletion of its objects', async () => {
    const room = await newRoom()
    const [file, other] = [await newFile(room.id, 'weg.pdf'), await newFile(room.id, 'bleibt.pdf')]
    const { contentId } = (await storage.files.byId(file)).current
    await storage.files.erase(file, OPERATOR)
    await assert.rejects(storage.contents.open(contentId), codeIs('storage/key-destroyed'))
    const jobs = await storage.jobs.list({ kind: 'erase', subject: contentId })
    assert.equal(jobs.items.length, 1)
    assert.deepEqual(
      (await storage.files.list(room.id)).items.map((each) => each.id),
      [other],
    )
    await assert.rejects(storage.files.erase(file, OPERATOR), codeIs('storage/not-found'))
  })

  it('makes everything in a room unreadable with its key, for good', async () => {
    const room = await newRoom()
    const contents = []
    for (const name of ['a', 'b', 'c']) {
      contents.push((await storage.files.byId(await newFile(room.id, name))).current.contentId)
    }
    await storage.rooms.destroyKey(room.id, OPERATOR)
    await storage.rooms.destroyKey(room.id, OPERATOR)
    const destroyed = codeIs('storage/key-destroyed')
    for (const id of contents) await assert.rejects(storage.contents.open(id), destroyed)
    await assert.rejects(house.keyRing.scopeKey(house.database.kysely, room.id), destroyed)
    await assert.rejects(storage.contents.put(room.id, Buffer.from('x')), destroyed)
    await assert.rejects(storage.rooms.reopen(room.id, OPERATOR), codeIs('storage/wrong-state'))
    assert.equal((await storage.rooms.byId(room.id)).state, 'destroyed')
    for (const id of contents) assert.equal((await storage.jobs.list({ subject: id })).items.length, 1)
    const left = await house.database.kysely
      .selectFrom('segment')
      .innerJoin('content', 'content.id', 'segment.content_id')
      .select('segment.id')
      .where('content.scope_id', '=', room.id)
      .where('segment.wrapped_key', 'is not', null)
      .execute()
    assert.deepEqual(left, [])
  })

  it('undoes everything of a transaction: room, key and evidence', async () => {
    const before = await storage.audit.verify()
    const failing = storage.transact(async (rows) => {
      await rows.rooms.create({ name: 'nie', level: 'SB3' }, OPERATOR)
      throw new Error('no')
    })
    await assert.rejects(failing, /no/)
    assert.equal(await storage.rooms.byName('nie'), null)
    assert.deepEqual(await storage.audit.verify(), before)
    await newRoom()
    assert.equal((await storage.audit.verify()).kind, 'whole')
  })

  it('keeps settings as they were given', async () => {
    assert.equal(await storage.settings.get('x'), null)
    for (const value of [0, false, '', 'ä"\\', [1, null], { a: { b: 1 } }]) {
      await storage.settings.set('x', value)
      assert.deepEqual(await storage.settings.get('x'), value)
    }
    await storage.settings.remove('x')
    assert.equal(await storage.settings.get('x'), null)
    await assert.rejects(storage.settings.set('x', undefined), codeIs('storage/bad-value'))
  })

  it('keeps mailboxes with their certificates', async () => {
    const [cipher, signature] = [Buffer.from([1, 0, 255]), Buffer.from([2])]
    const order = {
      name: 'Poststelle',
      address: 'poststelle',
      cipherCertificate: cipher,
      signatureCertificate: signature,
    }
    const made = await storage.mailboxes.create(order, OPERATOR)
    await assert.rejects(
      storage.mailboxes.create(order, OPERATOR),
      codeIs('storage/already-exists', /a mailbox of this name$/),
    )
    for (const found of [
      await storage.mailboxes.byId(made.id),
      await storage.mailboxes.byName('Poststelle'),
      await storage.mailboxes.byAddress('poststelle'),
      await storage.mailboxes.byCertificate(cipher),
      await storage.mailboxes.byCertificate(signature),
      (await storage.mailboxes.list()).items[0],
    ]) {
      assert.deepEqual(found, made)
    }
    assert.equal(await storage.mailboxes.byCertificate(Buffer.from([9])), null)
    const changed = await storage.mailboxes.change(made.id, { address: 'neu', unitId: null }, OPERATOR)
    assert.deepEqual([changed.address, changed.name], ['neu', 'Poststelle'])
  })
}
