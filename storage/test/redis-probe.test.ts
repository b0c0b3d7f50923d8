import assert from 'node:assert/strict'

import { probeRedis } from '../jobs/redis-probe.ts'
import { describeWithRedis, freePort, sharedRedis } from './support/redis-server.ts'

describeWithRedis('asking Redis whether it is there', () => {
  it('gives its version', async function () {
    this.timeout(20_000)
    assert.match(await probeRedis((await sharedRedis()).url), /^\d+\.\d+/)
  })

  it('fails soon where nobody listens, and does not tell the password', async () => {
    const probe = probeRedis(`redis://:geheim@127.0.0.1:${await freePort()}`)
    await assert.rejects(probe, (error) => error instanceof Error && !error.message.includes('geheim'))
  })
})
