import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'

import fc from 'fast-check'

import { makeBackup, openBackup, restoreMasterKeys } from '../cipher/key-backup.ts'
import { masterKeyId, readMasterKeys, type MasterKey } from '../cipher/master-keys.ts'
import { isStorageError } from '../errors.ts'
import { codeIs } from './support/codes.ts'
import { OPERATOR, freshSqlite, openHouse } from './support/databases.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const PASSPHRASE = 'fünf Äpfel und ein Boot'
const world = { random: randomBytes }

function someKeys(count = 2): MasterKey[] {
  return Array.from({ length: count }, (_, n) => {
    const key = randomBytes(32)
    return { id: masterKeyId(key), createdAt: new Date(1_000 * n), key }
  })
}

/** Every way to take `count` of `items`. */
function choices<T>(items: readonly T[], count: number): T[][] {
  if (count === 0) return [[]]
  return items.flatMap((item, index) => choices(items.slice(index + 1), count - 1).map((rest) => [item, ...rest]))
}

describe('a key backup under a passphrase', function () {
  this.timeout(20_000)

  it('gives the same keys back, also when the passphrase is composed in another way', async () => {
    const keys = someKeys()
    const [text = ''] = await makeBackup(keys, { kind: 'passphrase', passphrase: PASSPHRASE }, world)
    assert.deepEqual(await openBackup([text], PASSPHRASE.normalize('NFD')), keys)
    for (const key of keys) assert.ok(!text.includes(key.key.toString('base64')))
  })

  it('tells a wrong passphrase from a damaged backup', async () => {
    const [text = ''] = await makeBackup(someKeys(), { kind: 'passphrase', passphrase: PASSPHRASE }, world)
    await assert.rejects(openBackup([text], 'fünf Äpfel und kein Boot'), codeIs('storage/backup-bad-passphrase'))
    const damaged = codeIs('storage/backup-damaged')
    for (const bad of [
      '',
      '{}',
      'null',
      text.slice(0, -20),
      text.replace('131072', '65536'),
      text.replace('scrypt', 'none'),
    ]) {
      await assert.rejects(openBackup([bad], PASSPHRASE), damaged)
    }
    const at = text.indexOf('"sealed"') + 30
    const flipped = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
    await assert.rejects(openBackup([flipped], PASSPHRASE), damaged)
  })

  it('does not let a forged backup take all memory', async () => {
    const { createHash } = await import('node:crypto')
    const kdf = { name: 'scrypt', N: 2 ** 40, r: 8, p: 1, salt: 'AAAA' }
    const body = { format: 'amtsbote-key-backup/1', kdf, sealed: 'AAAA' }
    const check = createHash('sha256').update(JSON.stringify(body)).digest('hex')
    await assert.rejects(openBackup([JSON.stringify({ ...body, check })], PASSPHRASE), codeIs('storage/backup-damaged'))
  })

  it('refuses a short passphrase', async () => {
    const short = makeBackup(someKeys(), { kind: 'passphrase', passphrase: 'elf Zeichen' }, world)
    await assert.rejects(short, codeIs('storage/bad-value'))
  })
})

describe('a key backup in shares', () => {
  it('is restored by any three of five, in any order, and by more', async () => {
    const keys = someKeys()
    const texts = await makeBackup(keys, { kind: 'shares', shares: 5, threshold: 3 }, world)
    assert.equal(texts.length, 5)
    for (const some of choices(texts, 3)) assert.deepEqual(await openBackup(some.reverse(), null), keys)
    assert.deepEqual(await openBackup(texts, null), keys)
  })

  it('is not restored by fewer, nor by one that is given twice', async () => {
    const texts = await makeBackup(someKeys(), { kind: 'shares', shares: 5, threshold: 3 }, world)
    const [one = '', two = ''] = texts
    const tooFew = codeIs('storage/backup-too-few-shares')
    for (const some of [[], [one], [one, two], [one, two, two, one]])
      await assert.rejects(openBackup(some, null), tooFew)
  })

  it('notices a share of another backup, and an altered one by its number', async () => {
    const lock = { kind: 'shares', shares: 3, threshold: 2 } as const
    const keys = someKeys()
    const [one = '', two = ''] = await makeBackup(keys, lock, world)
    const [, other = ''] = await makeBackup(keys, lock, world)
    await assert.rejects(openBackup([one, other], null), codeIs('storage/backup-damaged'))
    const slip = two.replace(/"share":"(.)/, (_, letter: string) => `"share":"${letter === 'A' ? 'B' : 'A'}`)
    await assert.rejects(openBackup([one, slip], null), (error) => {
      return isStorageError(error, 'storage/backup-damaged') && error.message.includes('number 2')
    })
  })

  for (const [shares, threshold] of [
    [3, 1],
    [3, 4],
    [256, 2],
    [2.5, 2],
    [Number.NaN, 2],
  ] as const) {
    it(`refuses ${threshold} of ${shares}`, async () => {
      const make = makeBackup(someKeys(), { kind: 'shares', shares, threshold }, world)
      await assert.rejects(make, codeIs('storage/bad-value'))
    })
  }

  it('answers any text with an error of storage', async () => {
    const [share = ''] = await makeBackup(someKeys(), { kind: 'shares', shares: 2, threshold: 2 }, world)
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `${share}${json}`),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 3 }), async (any) => {
        await assert.rejects(openBackup(any, null), (error) => isStorageError(error))
      }),
      { numRuns: 60 },
    )
  })
})

describe('restoring on another machine', function () {
  this.timeout(30_000)

  for (const lock of [
    { kind: 'passphrase', passphrase: PASSPHRASE },
    { kind: 'shares', shares: 3, threshold: 2 },
  ] as const) {
    it(`opens the same data from a backup by ${lock.kind}`, async () => {
      const config = freshSqlite()
      const house = await openHouse(config)
      const room = await house.storage.rooms.create({ name: 'Bauakten', level: 'SB3' }, OPERATOR)
      const stored = await house.storage.contents.put(room.id, Buffer.from('wichtig'))
      await house.storage.transact((rows) => stored.commit(rows.db))
      assert.deepEqual((await house.storage.keys.backupState()).verified, false)
      const texts = (await house.storage.keys.backup(lock, OPERATOR)).slice(0, 2)
      const passphrase = lock.kind === 'passphrase' ? lock.passphrase : null
      assert.equal(await house.storage.keys.verifyBackup(texts, passphrase, OPERATOR), 'good')
      const state = await house.storage.keys.backupState()
      assert.deepEqual([state.verified, state.verifiedAt], [true, house.clock()])
      const scopeKey = await house.keyRing.scopeKey(house.database.kysely, room.id)
      await house.storage.close()

      const folder = join(temporaryFolder(), 'master')
      const held = await openBackup(texts, passphrase)
      assert.equal((await restoreMasterKeys(folder, held)).length, 1)
      assert.deepEqual(await restoreMasterKeys(folder, held), [])
      const there = await openHouse(config, { keys: folder, objects: house.objects })
      assert.deepEqual(await there.keyRing.scopeKey(there.database.kysely, room.id), scopeKey)
      assert.equal((await buffer((await there.storage.contents.open(stored.contentId)).stream)).toString(), 'wichtig')
      assert.equal((await there.storage.audit.verify()).kind, 'whole')
      assert.equal((await there.storage.keys.backupState()).verified, true)
      await there.storage.close()
    })
  }

  it('counts a backup as outdated after a rotation, until a new one was opened', async () => {
    const { storage, keys } = await openHouse(freshSqlite())
    const lock = { kind: 'shares', shares: 2, threshold: 2 } as const
    const old = await storage.keys.backup(lock, OPERATOR)
    assert.equal(await storage.keys.verifyBackup(old, null, OPERATOR), 'good')
    await storage.keys.rotateMaster(OPERATOR)
    assert.equal((await storage.keys.backupState()).verified, false)
    assert.equal(await storage.keys.verifyBackup(old, null, OPERATOR), 'outdated')
    const fresh = await storage.keys.backup(lock, OPERATOR)
    assert.equal(await storage.keys.verifyBackup(fresh, null, OPERATOR), 'good')
    assert.equal((await storage.keys.backupState()).verified, true)
    assert.equal((await readMasterKeys(keys)).length, 1)
    const room = await storage.rooms.create({ name: 'x', level: 'SB2' }, OPERATOR)
    const stored = await storage.contents.put(room.id, Buffer.from('y'))
    await storage.transact((rows) => stored.commit(rows.db))
    assert.equal((await buffer((await storage.contents.open(stored.contentId)).stream)).toString(), 'y')
    await storage.close()
  })
})
