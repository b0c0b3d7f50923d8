import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

import { CHAIN_START, chainValue, entryMac, headSeal } from '../audit-chain.ts'
import { makeBackup, openBackup } from '../cipher/key-backup.ts'
import { deriveHmacKey } from '../cipher/key-ring.ts'
import { masterKeyId } from '../cipher/master-keys.ts'
import { sealBox } from '../cipher/sealed-box.ts'

const FORMAT = readFileSync(new URL('../FORMAT.md', import.meta.url), 'utf8')
const ROOM = '11111111-1111-4111-8111-111111111111'

const bytesFrom = (start: number): Buffer => Buffer.from(Array.from({ length: 32 }, (_, index) => start + index))
const [MASTER, SCOPE, SEGMENT] = [bytesFrom(0x00), bytesFrom(0x20), bytesFrom(0x40)]
const fixed = (size: number): Buffer => Buffer.alloc(size, 0xa5)

/** The value of the table row of FORMAT.md whose first cell begins like this. */
function vector(row: string): string {
  const cells = FORMAT.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  const found = cells.find(([, first, second]) => first?.startsWith(row) === true && second?.startsWith('`') === true)
  return found?.[2]?.replaceAll('`', '') ?? `no row ${row}`
}

describe('test vectors of FORMAT.md', () => {
  it('of keys', () => {
    const id = masterKeyId(MASTER)
    assert.equal(id, vector('id of the master key'))
    const seal = (key: Buffer, binding: string[], text: Buffer) => sealBox(key, binding, text, fixed).toString('hex')
    assert.equal(seal(MASTER, ['scope-key', ROOM, id], SCOPE), vector('scope key as scope'))
    const segment = '22222222-2222-4222-8222-222222222222'
    assert.equal(seal(SCOPE, ['segment-key', segment], SEGMENT), vector('segment key as segment'))
    const secret = seal(SCOPE, ['secret', 'system', 'totp x'], Buffer.from('JBSWY3DP'))
    assert.equal(secret, vector('the text `JBSWY3DP` as secret'))
    assert.equal(deriveHmacKey(SCOPE, 'audit').toString('hex'), vector('HMAC key `audit`'))
  })

  it('of the audit log', () => {
    const key = deriveHmacKey(SCOPE, 'audit')
    const detail = '{"level":"SB3","unit":null}'
    const entry = { at: 1795435200000, actor_kind: 'operator', actor: 'anna', action: 'room.created' } as const
    const mac = entryMac(key, { ...entry, subject: ROOM, detail })
    assert.equal(mac.toString('hex'), vector('mac'))
    const chain = chainValue(key, 1, CHAIN_START, mac)
    assert.equal(chain.toString('hex'), vector('chain'))
    assert.equal(headSeal(key, 1, chain).toString('hex'), vector('seal'))
  })

  it('of key backups', async function () {
    this.timeout(10_000)
    const masters = [{ id: masterKeyId(MASTER), createdAt: new Date('2026-11-23T12:00:00.000Z'), key: MASTER }]
    const shares = FORMAT.split('\n').filter((line) => line.startsWith('    {"format":"amtsbote-key-share/1"'))
    assert.deepEqual(await openBackup(shares, null), masters)
    const lock = { kind: 'passphrase', passphrase: 'correct horse battery' } as const
    const [text = ''] = await makeBackup(masters, lock, { random: fixed })
    assert.equal((JSON.parse(text) as { check: string }).check, /`check` is `([0-9a-f]{64})`/.exec(FORMAT)?.[1])
  })
})
