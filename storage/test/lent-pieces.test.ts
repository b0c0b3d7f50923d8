import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { ContentId } from '../ids.ts'
import { filesystemObjects } from '../objects/filesystem.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import { s3Objects } from '../objects/s3.ts'
import { byteHouse, type ByteHouse } from './support/byte-house.ts'
import { codeIs } from './support/codes.ts'
import { s3Bucket } from './support/s3-server.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { withS3 } from './support/with-s3.ts'

const MIB = 1024 * 1024

function lendingSuite(openStore: () => Promise<ObjectStore>, large: number): void {
  let house: ByteHouse
  let store: ObjectStore
  before(async () => {
    store = await openStore()
    house = await byteHouse({ objects: store })
  })
  after(async () => {
    await house.close()
    await store.close()
  })

  const put = async (bytes: Buffer): Promise<ContentId> => {
    const stored = await house.contents.put(house.roomId, bytes)
    await house.database.transaction((db) => stored.commit(db))
    return stored.contentId
  }

  it('are the bytes of any range', async () => {
    const bytes = randomBytes(large)
    const id = await put(bytes)
    const edges = [0, 65_537, 2 * MIB + 5, large]
    for (const start of edges) {
      for (const end of edges.filter((edge) => edge >= start)) {
        const copies: Buffer[] = []
        const opened = await house.contents.open(id, { start, end })
        for await (const piece of opened.lend()) copies.push(Buffer.from(piece))
        assert.ok(Buffer.concat(copies).equals(bytes.subarray(start, end)), `${start}-${end}`)
      }
    }
  })

  it('stay what they are until the next is asked for, whoever else downloads, begins or goes away', async () => {
    const contents = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const bytes = randomBytes(large)
        return { bytes, id: await put(bytes) }
      }),
    )
    type Download = Awaited<ReturnType<typeof begin>>
    const begin = async ({ bytes, id }: { bytes: Buffer; id: ContentId }) => {
      const pieces = (await house.contents.open(id)).lend()
      const held: Buffer = Buffer.alloc(0)
      return { bytes, pieces, from: 0, at: 0, held }
    }
    /** Looks once more at what it still holds, then takes the next piece. */
    const goOn = async (download: Download): Promise<boolean> => {
      const { bytes, pieces, from, at, held } = download
      assert.ok(held.equals(bytes.subarray(from, at)))
      const next = await pieces.next()
      if (next.done === true) return false
      download.held = next.value
      download.from = at
      download.at += next.value.length
      assert.ok(next.value.equals(bytes.subarray(at, download.at)))
      return true
    }
    const [first, second, third] = contents
    assert.ok(first && second && third)
    const running = [await begin(first), await begin(second), await begin(first)]
    for (let round = 0; running.length > 0; round++) {
      if (round === 2) {
        const [gone] = running.splice(0, 1, await begin(third))
        await gone?.pieces.return(undefined)
      }
      const goesOn = await Promise.all(running.map(goOn))
      for (let at = running.length - 1; at >= 0; at--) if (goesOn[at] === false) running.splice(at, 1)
    }
  })

  it('are out of reach once they went back, except the one that its holder keeps when it goes away', async () => {
    const id = await put(randomBytes(large))
    const whole: Buffer[] = []
    for await (const piece of (await house.contents.open(id)).lend()) whole.push(piece)
    assert.deepEqual(new Set(whole.map(({ length }) => length)), new Set([0]))
    const cut: Buffer[] = []
    for await (const piece of (await house.contents.open(id)).lend()) if (cut.push(piece) === 2) break
    assert.equal(cut[0]?.length, 0)
    assert.ok((cut[1]?.length ?? 0) > 0)
  })
}

describe('lent pieces of contents on the filesystem', () => {
  lendingSuite(() => filesystemObjects({ root: join(temporaryFolder(), 'objects') }), 9 * MIB + 321)

  it('are never of a damaged chunk, wherever it lies', async () => {
    const house = await byteHouse()
    const bytes = randomBytes(6 * MIB)
    const stored = await house.contents.put(house.roomId, bytes)
    await house.database.transaction((db) => stored.commit(db))
    const [name = ''] = (await readdir(join(house.folder, 'objects'), { recursive: true })).filter(
      (path) => path.length > 30,
    )
    const path = join(house.folder, 'objects', name)
    const sealed = await readFile(path)
    for (const chunk of [0, 20, 79, 95]) {
      const altered = Buffer.from(sealed)
      altered.writeUInt8(altered.readUInt8(chunk * 65_564 + 5000) ^ 1, chunk * 65_564 + 5000)
      await writeFile(path, altered)
      let at = 0
      const reading = (async () => {
        for await (const piece of (await house.contents.open(stored.contentId)).lend()) {
          assert.ok(piece.equals(bytes.subarray(at, at + piece.length)))
          at += piece.length
        }
      })()
      await assert.rejects(reading, codeIs('storage/object-damaged'))
      assert.ok(at <= chunk * 65_536)
    }
    await house.close()
  })
})

withS3('lent pieces of contents on S3', () => {
  lendingSuite(async () => s3Objects(await s3Bucket()), 25 * MIB + 321)
})
