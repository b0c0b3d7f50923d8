import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'

import { newId, type ObjectId } from '../ids.ts'
import { s3Objects } from '../objects/s3.ts'
import { objectStoreSuite } from './suites/object-store.suite.ts'
import { codeIs } from './support/codes.ts'
import { faultyProxy } from './support/faulty-proxy.ts'
import { s3Bucket } from './support/s3-server.ts'
import { withS3 } from './support/with-s3.ts'

withS3('S3 objects', () => {
  objectStoreSuite(async () => s3Objects(await s3Bucket()))

  it('say that the store is unavailable when the bucket does not exist or nobody listens', async () => {
    const options = await s3Bucket()
    await assert.rejects(s3Objects({ ...options, bucket: 'nowhere' }), codeIs('storage/objects-unavailable'))
    await assert.rejects(
      s3Objects({ ...options, endpoint: 'http://127.0.0.1:1' }),
      codeIs('storage/objects-unavailable'),
    )
    const wrongKey = s3Objects({ ...options, secretAccessKey: 'wrong' })
    await assert.rejects(wrongKey, codeIs('storage/objects-unavailable'))
  })

  it('are refused by the server when their bytes are not those that were hashed', async () => {
    const store = await s3Objects(await s3Bucket())
    const writer = await store.openParts(newId<ObjectId>(randomBytes), null)
    const sha256 = '0'.repeat(64)
    const part = writer.putPart(1, 0, { bytes: randomBytes(1000), sha256 })
    await assert.rejects(part, codeIs('storage/objects-unavailable'))
    await store.close()
  })

  it('go out part by part over one connection', async () => {
    const options = await s3Bucket()
    const proxy = await faultyProxy(options.endpoint)
    const ports = new Set<number | undefined>()
    proxy.decide = ({ clientPort }) => {
      ports.add(clientPort)
      return null
    }
    const store = await s3Objects({ ...options, endpoint: proxy.endpoint })
    const writer = await store.openParts(newId<ObjectId>(randomBytes), null)
    for (const number of [1, 2, 3]) await writer.putPart(number, 0, { bytes: Buffer.alloc(5 << 20) })
    assert.equal(ports.size, 1)
    await store.close()
    await proxy.goAway()
  })

  it('lie under their prefix, and nothing else there is listed', async () => {
    const options = await s3Bucket()
    const [ours, others] = [await s3Objects(options), await s3Objects({ ...options, prefix: 'other/' })]
    await others.put(newId<ObjectId>(randomBytes), Buffer.from('x'))
    for await (const found of ours.list()) assert.fail(found.id)
    await ours.close()
    await others.close()
  })
})
