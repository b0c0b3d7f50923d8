import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { buffer } from 'node:stream/consumers'

import { OPERATOR, freshSqlite, onBothDatabases, openHouse } from './support/databases.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { keysSuite } from './suites/keys.suite.ts'

onBothDatabases('keys', keysSuite)

const PROGRAM = new URL('./support/rotate-for-ever.ts', import.meta.url).pathname
const KILLS = process.env['AMTSBOTE_PROVE'] === '1' ? 60 : 3

describe('a process that is killed while it rotates the master key', () => {
  it(`leaves every key readable, ${KILLS} times in a row`, async function () {
    this.timeout(KILLS * 15_000)
    const config = freshSqlite()
    const keys = join(temporaryFolder(), 'master')
    const house = await openHouse(config, { keys })
    for (let n = 0; n < 250; n++) await house.storage.rooms.create({ name: `Raum ${n}`, level: 'SB3' }, OPERATOR)
    const { items } = await house.storage.rooms.list({ limit: 1 })
    const [room] = items
    assert.ok(room)
    const stored = await house.storage.contents.put(room.id, Buffer.from('sealed before'))
    await house.storage.transact((rows) => stored.commit(rows.db))
    await house.storage.close()
    const path = config.kind === 'sqlite' ? config.path : ''
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, path, keys], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const gone = once(child, 'exit')
      await once(child.stdout, 'data')
      await sleep(Math.random() * 120)
      child.kill('SIGKILL')
      await gone
      const after = await openHouse(config, { keys, objects: house.objects })
      const open = await after.storage.contents.open(stored.contentId)
      assert.equal((await buffer(open.stream)).toString(), 'sealed before')
      const { masterKeyId } = await after.storage.keys.rotateMaster(OPERATOR)
      assert.deepEqual(
        readdirSync(keys).filter((name) => name.endsWith('.key')),
        [`${masterKeyId}.key`],
      )
      for (let page: string | null | undefined; page !== null;) {
        const list = await after.storage.rooms.list({ after: page ?? null })
        for (const each of list.items) await after.keyRing.scopeKey(after.database.kysely, each.id)
        page = list.next
      }
      assert.equal((await after.storage.audit.verify()).kind, 'whole')
      await after.storage.close()
    }
  })
})
