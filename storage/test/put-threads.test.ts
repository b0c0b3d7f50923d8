import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { KIND, openRun, sealedSize } from '../cipher/chunks.ts'
import { newId, type SegmentId } from '../ids.ts'
import { createPutThreads } from '../objects/put-threads.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

describe('threads that put small objects', () => {
  const threads = createPutThreads()
  const root = temporaryFolder()
  const folder = openSync(root, 'r')
  after(async () => {
    await threads.close()
    closeSync(folder)
  })

  it('write each as it was when it was handed over', async () => {
    const all = Array.from({ length: 20 }, (_, n) => ({ path: join(root, String(n)), bytes: randomBytes(n * 5000) }))
    const copies = all.map(({ bytes }) => Buffer.from(bytes))
    const written = all.map(({ path, bytes }) => threads.put(path, folder, bytes))
    for (const { bytes } of all) bytes.fill(0)
    await Promise.all(written)
    for (const [n, { path }] of all.entries()) assert.ok(copies[n]?.equals(readFileSync(path)))
  })

  it('write out of memory that is shared, and a part of a larger piece', async () => {
    const shared = Buffer.from(new SharedArrayBuffer(100)).fill('x')
    await threads.put(join(root, 'shared'), folder, shared.subarray(10, 40))
    assert.equal(readFileSync(join(root, 'shared'), 'utf8'), 'x'.repeat(30))
  })

  it('seal what they write, each under its own key, and tell the digest of what was sealed', async () => {
    for (const size of [0, 1, 65_536, 65_537, 1_048_576, 5]) {
      const plain = randomBytes(size)
      const cipher = { key: new Uint8Array(randomBytes(32)), segmentId: newId<SegmentId>(randomBytes) }
      const path = join(root, `sealed-${size}`)
      const digest = await threads.sealAndPut(path, folder, { plain, cipher })
      assert.equal(digest, createHash('sha256').update(plain).digest('hex'))
      const sealed = readFileSync(path)
      assert.equal(sealed.length, sealedSize(size))
      const opened = Buffer.alloc(size)
      openRun(cipher, { first: 0, end: KIND.last, sealed }, opened)
      assert.ok(opened.equals(plain))
    }
  })

  it('say what the disk said, and go on', async () => {
    const fault = (code: string) => (error: unknown) => error instanceof Error && 'code' in error && error.code === code
    await assert.rejects(threads.put(join(root, 'none', 'x'), folder, randomBytes(10)), fault('ENOENT'))
    const device = openSync('/dev/null', 'r')
    const path = join(root, 'unflushed')
    await assert.rejects(threads.put(path, device, randomBytes(10)), fault('EINVAL'))
    closeSync(device)
    assert.equal(existsSync(path), false, 'what could not be flushed is not left behind')
    await threads.put(path, folder, randomBytes(10))
  })
})
