/** A server that is killed (kill -9) at random moments of an upload, as a client of it sees that. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom } from './seeded-random.ts'
import type { ServerProcess } from './server-process.ts'
import type { ServerProcesses } from './server-process.ts'
import { OCTETS, metadata, randomBytes, sha256, tusCaller } from './tus.ts'
import type { UploadHouse } from './upload-house.ts'
import { Wire, requestHead } from './wire.ts'

export const KILLS = process.env['AMTSBOTE_PROVE'] === '1' ? 500 : 20

/** a server that was just started answers two or three requests in it */
const LIFE_MS = 250

/** Uploads of up to 30 MB, one after the other, until the server was killed so often; each file must arrive whole. */
export async function killing(house: UploadHouse, processes: ServerProcesses, kills: number): Promise<void> {
  const { random, seed } = seededRandom()
  process.stdout.write(`      seed ${seed}\n`)
  let server: ServerProcess = await processes.start(house.stores)
  try {
    for (let done = 0; done < kills;) {
      const bytes = randomBytes(1 + Math.floor(random() * 30_000_000))
      const story = new KilledUpload(bytes, house)
      for (;;) {
        const end = await story.sendUntil(server, random, done < kills)
        if (end === 'finished') break
        done++
        server = await processes.start(house.stores)
      }
      const name = story.name
      const file = await house.storage.files.byName(house.room, name)
      assert.ok(file, 'the file is in its room')
      assert.equal(sha256(await house.readFile(file)), sha256(bytes), `seed ${seed}`)
      assert.ok([null, sha256(bytes)].includes(file.current.sha256))
    }
  } finally {
    await server.kill()
  }
}

/** One file on its way through a server that dies under it. */
class KilledUpload {
  readonly name: string
  readonly #bytes: Buffer
  readonly #house: UploadHouse
  #address = ''
  #acknowledged = 0
  #sent = 0
  /** lives since the last acknowledged byte: on a busy machine each lasts longer, until something is acknowledged */
  #fruitless = 0

  constructor(bytes: Buffer, house: UploadHouse) {
    this.#bytes = bytes
    this.#house = house
    this.name = `killed-${sha256(bytes).slice(0, 16)}.bin`
  }

  /** Goes on until the file is whole or the server was killed. */
  async sendUntil(server: ServerProcess, random: () => number, mayKill: boolean): Promise<'finished' | 'killed'> {
    const life = new AbortController()
    const killed = mayKill
      ? pause(random() * LIFE_MS * ++this.#fruitless, undefined, { signal: life.signal }).then(
          async () => (await server.kill(), 'killed' as const),
          () => 'spared' as const,
        )
      : Promise.resolve('spared' as const)
    try {
      await this.#send(server.port, random)
      life.abort()
      // The last answer may have come before the kill struck; the next server is asked again then.
      return (await killed) === 'killed' ? 'killed' : 'finished'
    } catch (error) {
      if ((await killed) === 'killed') return 'killed'
      throw error
    }
  }

  async #send(port: number, random: () => number): Promise<void> {
    const tus = tusCaller(
      () => port,
      () => ({
        ...this.#house.standing(),
        'Upload-Metadata': metadata({ room: this.#house.room, filename: this.name }),
      }),
    )
    if (this.#address === '') this.#address = await tus.create(this.#bytes.length)
    const head = await tus.head(this.#address)
    assert.equal(head.status, 200, 'a ticket that was given out is known after a restart')
    let offset = Number(head.headers['upload-offset'])
    assert.ok(offset >= this.#acknowledged, `${offset} is less than the ${this.#acknowledged} that were acknowledged`)
    assert.ok(offset <= this.#sent, `${offset} is more than the ${this.#sent} that were sent`)
    while (offset < this.#bytes.length) {
      const size = Math.ceil(random() ** 3 * 20_000_000)
      offset = await this.#patch(port, offset, this.#bytes.subarray(offset, offset + size))
    }
  }

  async #patch(port: number, offset: number, body: Buffer): Promise<number> {
    this.#sent = Math.max(this.#sent, offset + body.length)
    const wire = await Wire.open(port)
    try {
      wire.send(
        requestHead({
          method: 'PATCH',
          path: this.#address,
          headers: [
            ['Tus-Resumable', '1.0.0'],
            ['Content-Type', OCTETS],
            ['Upload-Offset', String(offset)],
            ['Content-Length', String(body.length)],
          ],
        }),
      )
      wire.send(body)
      const reply = await wire.reply()
      assert.equal(reply.status, 204, reply.body)
      this.#acknowledged = Number(reply.headers['upload-offset'])
      this.#fruitless = 0
      return this.#acknowledged
    } finally {
      wire.cut()
    }
  }
}
