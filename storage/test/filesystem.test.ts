import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { newId, type ObjectId } from '../ids.ts'
import { filesystemObjects } from '../objects/filesystem.ts'
import { objectStoreSuite } from './suites/object-store.suite.ts'
import { codeIs } from './support/codes.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

describe('filesystem objects', () => {
  objectStoreSuite(() => filesystemObjects({ root: join(temporaryFolder(), 'objects') }))

  it('are files that only their owner may read, in two levels of folders, named by ids', async () => {
    const root = join(temporaryFolder(), 'objects')
    const store = await filesystemObjects({ root })
    const id = newId<ObjectId>(randomBytes)
    await store.put(id, Buffer.from('x'))
    const file = join(root, id.charAt(0), id.charAt(1), id)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    for (const folder of [root, join(root, id.charAt(0)), join(root, id.charAt(0), id.charAt(1))]) {
      assert.equal((await stat(folder)).mode & 0o777, 0o700)
    }
    assert.deepEqual(await readdir(join(root, id.charAt(0), id.charAt(1))), [id])
  })

  it('skip strange files when they are listed', async () => {
    const root = join(temporaryFolder(), 'objects')
    const store = await filesystemObjects({ root })
    await mkdir(join(root, 'a', 'b'), { recursive: true })
    await mkdir(join(root, 'lost+found'))
    await writeFile(join(root, 'a', 'b', 'README'), '')
    await writeFile(join(root, 'a', 'b', 'x.open'), '')
    for await (const found of store.list()) assert.fail(found.id)
    for await (const found of store.listUnfinished()) assert.fail(found.id)
  })

  it('say that the store is unavailable when its folder has vanished', async () => {
    const root = join(temporaryFolder(), 'objects')
    const store = await filesystemObjects({ root })
    const id = newId<ObjectId>(randomBytes)
    await store.put(id, Buffer.from('x'))
    await rm(root, { recursive: true })
    await assert.rejects(store.put(id, Buffer.from('x')), codeIs('storage/objects-unavailable'))
  })

  it('put an object again that an earlier put left half', async () => {
    const root = join(temporaryFolder(), 'objects')
    const store = await filesystemObjects({ root })
    const id = newId<ObjectId>(randomBytes)
    await mkdir(join(root, id.charAt(0), id.charAt(1)), { recursive: true })
    await writeFile(join(root, id.charAt(0), id.charAt(1), id), 'more than half of it')
    await store.put(id, Buffer.from('whole'))
    assert.equal(await store.size(id), 5)
    assert.deepEqual(await readdir(join(root, id.charAt(0), id.charAt(1))), [id])
  })

  it('show what is left of an object that was put under a name of its own first, and remove it', async () => {
    const root = join(temporaryFolder(), 'objects')
    const store = await filesystemObjects({ root })
    const id = newId<ObjectId>(randomBytes)
    await mkdir(join(root, id.charAt(0), id.charAt(1)), { recursive: true })
    await writeFile(join(root, id.charAt(0), id.charAt(1), `${id}.new`), 'half')
    assert.equal(await store.size(id), null)
    const found: string[] = []
    for await (const begun of store.listUnfinished()) {
      found.push(begun.id)
      await store.abort(begun.id, begun.handle)
    }
    assert.deepEqual(found, [id])
    for await (const begun of store.listUnfinished()) assert.fail(begun.id)
    await chmod(root, 0o700)
  })
})
