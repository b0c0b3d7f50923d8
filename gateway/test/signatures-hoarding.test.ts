import assert from 'node:assert/strict'
import { openBrowser } from './support/browser.ts'
import { openWebHouse } from './support/web-house.ts'
import { Wire, requestHead } from './support/wire.ts'
import { validateDocument } from '../../signing/index.ts'

describe('one person who has many documents validated', function () {
  this.timeout(20_000)

  it('has one of them in work at a time, and those waiting are dropped when nobody waits for them', async () => {
    let entered = 0
    let enter: () => void = () => undefined
    const first = new Promise<void>((resolve) => (enter = resolve))
    let finish: () => void = () => undefined
    const held = new Promise<void>((resolve) => (finish = resolve))
    const house = await openWebHouse({
      validate: async (document, content) => {
        if (document.size === 4) {
          entered += 1
          enter()
          await held
        }
        return validateDocument(document, { anchors: [], now: new Date(), producer: 'test', detached: () => content })
      },
    })
    try {
      const [eve, anna] = [await house.person({ audience: 'external' }), await house.person()]
      const room = await house.room('SB2', [
        [eve, 'reader'],
        [anna, 'reader'],
      ])
      const [slow, quick] = [await house.file(room.id, 'a.pdf', 'slow'), await house.file(room.id, 'b.pdf', 'quick')]
      const authorization = `Bearer ${await house.token(eve)}`
      const path = `/api/files/${slow}/signatures`
      const wires: Wire[] = []
      for (let n = 0; n < 6; n += 1) {
        const wire = await Wire.open(house.port)
        wire.send(requestHead({ method: 'GET', path, headers: [['Authorization', authorization]] }))
        wires.push(wire)
      }
      await first
      const others = { authorization: `Bearer ${await house.token(anna)}` }
      for (let n = 0; n < 5; n += 1) {
        assert.equal((await openBrowser(house.url).get(`/api/files/${quick}/signatures`, others)).status, 200)
      }
      assert.equal(entered, 1)
      for (const wire of wires) wire.cut()
      const noticed = () => house.log.filter((line) => line.includes('"whole":false')).length
      while (noticed() < wires.length) await openBrowser(house.url).get('/health/live')
      finish()
      assert.equal((await openBrowser(house.url).get(path, { authorization })).status, 200)
      assert.equal(entered, 2)
    } finally {
      finish()
      await house.close()
    }
  })
})
