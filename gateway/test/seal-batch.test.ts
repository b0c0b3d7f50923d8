/** Many seals in one go: nothing twice, nothing lost, a sealed protocol at the end. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { makeTrialIdentity, openPkcs12 } from '../../signing/index.ts'
import type { SigningKey } from '../../signing/index.ts'
import { newId } from '../../storage/index.ts'
import type { ClaimedJob, FileId, JobOutcome, Room, SealBatchId } from '../../storage/index.ts'
import { buildPdf, onePage } from '../../signing/test/build-pdf.ts'
import { sealBatchHandler, startSealBatch } from '../index.ts'
import { IDLE_SEALER, OPERATOR, openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'
import { sealState } from '../../signing/test/support/seal-state.ts'

const PDF = buildPdf({ objects: onePage() })
const CLAIM: Omit<ClaimedJob, 'subject'> = {
  id: newId(randomBytes),
  kind: 'seal-batch',
  partner: null,
  payload: {},
  attempts: 1,
  failures: 0,
  standing: false,
  leaseUntil: new Date(8.64e15),
}
const SETUP = { sources: null, level: 'B-B' } as const

describe('sealing the files of a room in one go', () => {
  let house: WebHouse
  let key: SigningKey
  let room: Room

  before(async function () {
    this.timeout(30_000)
    house = await openWebHouse({ seal: IDLE_SEALER })
    const names = { commonName: 'Siegel', organisation: 'Übungsstadt', passphrase: 'nur zum Testen' }
    const identity = await makeTrialIdentity({ ...names, usage: 'seal', now: house.now(), random: randomBytes })
    key = (await openPkcs12(identity.pkcs12, names.passphrase)).signing
  })
  after(() => house.close())
  beforeEach(async () => {
    room = await house.room('SB2')
  })

  const begin = () => startSealBatch(house.storage, { room, files: null, wishes: { reason: 'Bescheid' } }, OPERATOR)

  function run(id: SealBatchId, signer = key, signal = new AbortController().signal): Promise<JobOutcome> {
    const { storage } = house
    const job = { ...CLAIM, subject: id }
    return sealBatchHandler({ storage, key: () => Promise.resolve(signer), clock: () => house.now(), setup: SETUP })(
      job,
      signal,
    )
  }

  async function contentOf(file: FileId): Promise<Buffer> {
    const { current } = await house.storage.files.byId(file)
    const parts: Buffer[] = []
    for await (const part of (await house.storage.contents.open(current.contentId)).stream) parts.push(part as Buffer)
    return Buffer.concat(parts)
  }

  /** A key that signs, then fails at the n-th call; counts the calls. */
  function countedKey(failAt = Infinity): SigningKey & { calls: number; messages: number } {
    const counted = {
      ...key,
      calls: 0,
      messages: 0,
      sign: async (...args: Parameters<SigningKey['sign']>) => {
        counted.calls++
        if (counted.calls >= failAt) throw new Error('the token was pulled out')
        counted.messages += args[0].length
        return key.sign(...args)
      },
    }
    return counted
  }

  it('seals every PDF with few calls of the key, passes over the others, and files a sealed protocol', async () => {
    const files: FileId[] = []
    for (let i = 0; i < 60; i++) files.push(await house.file(room.id, `Bescheid ${i}.pdf`, PDF))
    const broken = await house.file(room.id, 'Entwurf.pdf', 'no PDF at all')
    await house.file(room.id, 'Notiz.txt', 'hello')
    const id = await begin()
    const counted = countedKey()
    assert.deepEqual(await run(id, counted), { kind: 'done' })
    assert.equal(counted.calls, 3, 'two portions and the protocol')
    assert.equal(counted.messages, 61)
    for (const file of files) assert.equal((await sealState(await contentOf(file))).kind, 'intact')
    const batch = await house.storage.sealBatches.byId(id)
    assert.deepEqual([batch.state, batch.total, batch.sealed, batch.failed], ['done', 61, 60, 1])
    const [failed] = await house.storage.sealBatches.items(id, { limit: 9, state: 'failed' })
    assert.deepEqual([failed?.fileId, failed?.error], [broken, 'signing/not-a-pdf'])
    assert.ok(batch.protocolFileId !== null)
    const protocol = await contentOf(batch.protocolFileId)
    assert.equal((await sealState(protocol)).kind, 'intact')
  })

  it('goes on after an interruption and seals nothing twice', async () => {
    const files: FileId[] = []
    for (let i = 0; i < 55; i++) files.push(await house.file(room.id, `Akte ${i}.pdf`, PDF))
    const id = await begin()
    await assert.rejects(run(id, countedKey(2)), /pulled out/)
    assert.equal((await house.storage.sealBatches.byId(id)).sealed, 50)
    assert.deepEqual(await run(id), { kind: 'done' })
    for (const file of files) assert.equal((await house.storage.files.byId(file)).current.number, 2)
    assert.deepEqual(await run(id), { kind: 'done' }, 'a second runner finds nothing to do')
    const protocols = (await house.storage.files.list(room.id)).items.filter(({ name }) =>
      name.startsWith('Siegelprotokoll'),
    )
    assert.equal(protocols.length, 1)
  })

  it('loses nothing when two workers have the same batch', async () => {
    for (let i = 0; i < 20; i++) await house.file(room.id, `Doppelt ${i}.pdf`, PDF)
    const id = await begin()
    await Promise.allSettled([run(id), run(id)])
    await run(id)
    const batch = await house.storage.sealBatches.byId(id)
    assert.deepEqual([batch.state, batch.sealed + batch.failed], ['done', 20])
    for (const { name, current } of (await house.storage.files.list(room.id)).items) {
      if (name.startsWith('Doppelt')) assert.equal(current.number, 2, name)
    }
  })

  it('does not seal a version that nobody asked for', async () => {
    const file = await house.file(room.id, 'geändert.pdf', PDF)
    const id = await begin()
    const content = await house.storage.contents.put(room.id, PDF)
    await house.storage.transact(async (rows) => {
      await content.commit(rows.db)
      await rows.files.addVersion(file, { contentId: content.contentId, state: 'released' }, OPERATOR)
    })
    await run(id)
    const [item] = await house.storage.sealBatches.items(id, { limit: 1 })
    assert.deepEqual([item?.state, item?.error], ['failed', 'storage/wrong-state'])
    assert.equal((await house.storage.files.byId(file)).current.number, 2)
  })

  it('stops where a person cancels it', async () => {
    await house.file(room.id, 'später.pdf', PDF)
    const id = await begin()
    await house.storage.sealBatches.cancel(id, OPERATOR)
    assert.deepEqual(await run(id), { kind: 'done' })
    assert.equal((await house.storage.sealBatches.byId(id)).sealed, 0)
  })

  it('refuses a room in which nothing waits for a seal', async () => {
    await house.file(room.id, 'Notiz.txt', 'hello')
    await assert.rejects(begin(), { code: 'gateway/nothing-to-seal' })
  })

  it('is begun, watched and cancelled over HTTP, by staff alone', async () => {
    const staff = await house.person()
    const external = await house.person({ audience: 'external' })
    const shared = await house.room('SB2', [
      [staff, 'contributor'],
      [external, 'contributor'],
    ])
    await house.file(shared.id, 'Bescheid.pdf', PDF)
    const ask = async (method: string, path: string, who: Parameters<WebHouse['token']>[0]) =>
      fetch(`${house.url}${path}`, { method, headers: { authorization: `Bearer ${await house.token(who)}` } })
    assert.equal((await ask('POST', `/api/rooms/${shared.id}/seal-batches`, external)).status, 403)
    const begun = await ask('POST', `/api/rooms/${shared.id}/seal-batches`, staff)
    assert.equal(begun.status, 202)
    const { id, total } = (await begun.json()) as { id: string; total: number }
    assert.equal(total, 1)
    assert.equal((await ask('GET', `/api/seal-batches/${id}`, external)).status, 200)
    const cancelled = (await (await ask('POST', `/api/seal-batches/${id}/cancel`, staff)).json()) as { state: string }
    assert.equal(cancelled.state, 'cancelled')
    assert.equal((await ask('POST', `/api/seal-batches/${id}/cancel`, staff)).status, 409)
  })
})
