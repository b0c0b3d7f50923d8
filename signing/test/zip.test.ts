/** ZIP archives: what is right is read whole, and what two readers could read in two ways is seen. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openContainer, readWhole } from '../asic/container.ts'
import type { Container } from '../asic/container.ts'
import { readDirectory } from '../asic/zip-directory.ts'
import { readLayout } from '../asic/zip-layout.ts'
import { memoryPart, zipArchive } from '../asic/zip-writer.ts'
import { SigningError, bufferAccess } from '../index.ts'
import type { RandomAccess } from '../index.ts'
import { programsFor, run } from './programs.ts'
import { rawZip } from './support/raw-zip.ts'
import type { RawArchive } from './support/raw-zip.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const TWO = [
  { name: 'a.txt', content: 'eins' },
  { name: 'b.txt', content: 'zwei'.repeat(100), deflate: true },
] as const

const open = (archive: RawArchive): Promise<Container> => openContainer(bufferAccess(rawZip(archive)))

async function whole(access: RandomAccess): Promise<Buffer> {
  return access.read(0, access.size)
}

describe('reading a ZIP archive', () => {
  it('gives the content of stored and deflated entries', async () => {
    const { files, problems } = await open({ entries: TWO })
    assert.deepEqual(problems, [])
    assert.deepEqual(
      files.map(({ name }) => name),
      ['a.txt', 'b.txt'],
    )
    const [a, b] = files
    assert.ok(a && b)
    assert.equal(String(await readWhole(a, 1000)), 'eins')
    assert.equal(String(await readWhole(b, 1000)), 'zwei'.repeat(100))
  })

  it('reads a deflated entry at any place, also backwards and by several at once', async () => {
    const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index) >> 5))
    const { files } = await open({ entries: [{ name: 'x', content, deflate: true }] })
    const access = files[0]?.content
    assert.ok(access)
    const places = [0, 299_000, 5, 100_000, 99_999]
    const found = await Promise.all(places.map((at) => access.read(at, 1000)))
    for (const [index, at] of places.entries()) assert.deepEqual(found[index], content.subarray(at, at + 1000))
    await assert.rejects(access.read(299_500, 1000), { code: 'signing/container-damaged' })
  })

  it('takes comments for what they are', async () => {
    const { problems } = await open({ entries: TWO, comment: Buffer.from('ein Kommentar') })
    assert.deepEqual(problems, [])
  })

  it('is not led astray by an end record inside the comment', async () => {
    const comment = Buffer.concat([Buffer.from('PK\u0005\u0006'), Buffer.alloc(18)])
    const { files } = await open({ entries: TWO, comment })
    assert.equal(files.length, 2)
  })

  it('refuses an archive with two directories that could be meant', async () => {
    const inner = rawZip({ entries: [{ name: 'other', content: 'x' }] })
    const outer = rawZip({ entries: TWO, comment: Buffer.alloc(inner.length) })
    // an archive whose offsets are right in the whole: it begins where the first ends
    const shifted = rawZip({ entries: [{ name: 'other', content: 'x', before: Buffer.alloc(0) }] })
    const at = outer.length - inner.length
    const moved = Buffer.from(shifted)
    const end = moved.length - 22
    moved.writeUInt32LE(at + moved.readUInt32LE(end + 16), end + 16)
    moved.copy(outer, at)
    await assert.rejects(openContainer(bufferAccess(outer)), { code: 'signing/container-damaged' })
  })

  for (const [what, bytes] of [
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('kein Archiv, nur Text')],
    ['an archive that is cut off', rawZip({ entries: TWO }).subarray(0, -10)],
    ['a directory with more entries than it has', rawZip({ entries: TWO, count: 3 })],
    ['bytes behind the archive', Buffer.concat([rawZip({ entries: TWO }), Buffer.from('x')])],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(openContainer(bufferAccess(bytes)), { code: 'signing/container-damaged' })
    })
  }
})

const [A, B] = TWO
const CONTRADICTIONS: Readonly<Record<string, RawArchive>> = {
  'a name twice': { entries: [A, { ...A, content: 'anders' }] },
  'names that differ in case': { entries: [A, { ...A, name: 'A.TXT' }] },
  'names that differ in the form of Unicode': { entries: [{ name: 'ä' }, { name: 'a\u0308' }] },
  'a file and a folder of one name': { entries: [{ name: 'x' }, { name: 'x/' }] },
  'a local header with another name': { entries: [{ ...A, local: { name: 'c.txt' } }] },
  'a local header with another size': { entries: [{ ...A, local: { size: 3 } }] },
  'a local header with another packed size': { entries: [{ ...B, local: { packed: 3 } }] },
  'a local header with another checksum': { entries: [{ ...A, local: { crc: 1 } }] },
  'a local header with another method': { entries: [{ ...A, local: { method: 8 } }] },
  'a second name in the directory': { entries: [{ ...A, central: { extra: unicodeName('c.txt') } }] },
  'a second name in the local header': { entries: [{ ...A, local: { extra: unicodeName('c.txt') } }] },
  'a checksum that is another in both': { entries: [{ ...A, local: { crc: 1 }, central: { crc: 1 } }] },
  'a size that is another in both': { entries: [{ ...B, local: { size: 5 }, central: { size: 5 } }] },
  'bytes behind a packed content': { entries: [{ ...B, tail: Buffer.from('versteckt') }] },
  'an entry that is encrypted': { entries: [{ ...A, flags: 1 }] },
  'a method that is not known': { entries: [{ ...A, method: 12 }] },
  'entries that overlap': { entries: [A, { ...B, central: { offset: 0 } }] },
  'an entry behind the directory': { entries: [{ ...A, central: { offset: 500 } }] },
  'a folder with content': { entries: [{ name: 'x/', content: 'x' }] },
  'a bomb': { entries: [{ name: 'x', content: Buffer.alloc(2 * 1024 * 1024), deflate: true }] },
  'a way up': { entries: [{ name: '../x' }] },
  'a way up inside': { entries: [{ name: 'a/../x' }] },
  'an absolute name': { entries: [{ name: '/x' }] },
  'a drive': { entries: [{ name: 'C:x' }] },
  'a backslash': { entries: [{ name: 'a\\x' }] },
  'a zero byte': { entries: [{ name: 'x\u0000.pdf' }] },
  'letters that turn the direction': { entries: [{ name: 'x\u202efdp.exe' }] },
}

function unicodeName(name: string): Buffer {
  const field = Buffer.alloc(9)
  field.writeUInt16LE(0x7075, 0)
  field.writeUInt16LE(5 + name.length, 2)
  return Buffer.concat([field, Buffer.from(name)])
}

describe('a ZIP archive that can be read in two ways', () => {
  for (const [what, archive] of Object.entries(CONTRADICTIONS)) {
    it(`is found by ${what}`, async () => {
      const { problems } = await open(archive)
      assert.ok(problems.some(({ kind }) => kind === 'contradiction'))
    })
  }

  for (const [what, archive] of Object.entries({
    'before the first entry': { entries: [{ ...A, before: Buffer.from('#!/bin/sh') }] },
    'between entries': { entries: [A, { ...B, before: Buffer.from('versteckt') }] },
    'before the directory': { entries: [A], gap: Buffer.from('versteckt') },
  })) {
    it(`has bytes ${what} that are told`, async () => {
      const { problems } = await open(archive)
      assert.deepEqual(
        problems.map(({ kind }) => kind),
        ['oddity'],
      )
    })
  }
})

describe('writing a ZIP archive', () => {
  it('makes what the reader finds right, with names of any language', async () => {
    const parts = [memoryPart('mimetype', Buffer.from('x')), memoryPart('Ordner/Bescheid äöü €.pdf', Buffer.from('y'))]
    const { files, problems } = await openContainer(zipArchive(parts, NOW))
    assert.deepEqual(problems, [])
    assert.deepEqual(
      files.map(({ name }) => name),
      ['mimetype', 'Ordner/Bescheid äöü €.pdf'],
    )
  })

  it('goes beyond 4 GiB', async () => {
    const size = 5 * 1024 ** 3
    const large = { size, read: (_: number, length: number) => Promise.resolve(Buffer.alloc(length)) }
    const part = { name: 'large', method: 0, crc32: 1, size, packed: large }
    const archive = zipArchive([part, memoryPart('small', Buffer.from('x')), { ...part, name: 'second' }], NOW)
    const directory = await readDirectory(archive)
    assert.deepEqual(
      directory.entries.map((entry) => entry.size),
      [size, 1, size],
    )
    assert.deepEqual((await readLayout(archive, directory)).problems, [])
  })

  if (programsFor('ZIP archives before unzip', 'unzip')) {
    it('unzip finds no fault', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'amtsbote-zip-'))
      const file = join(folder, 'x.zip')
      const parts = [memoryPart('a/ä.txt', Buffer.from('eins')), memoryPart('b.txt', Buffer.alloc(0))]
      await writeFile(file, await whole(zipArchive(parts, NOW)))
      const { code, output } = await run('unzip', '-t', file)
      await rm(folder, { recursive: true })
      assert.equal(code, 0, output)
    })
  }
})

const COUNT = process.env['AMTSBOTE_PROVE'] === '1' ? 100_000 : 2_000

describe('mutated ZIP archives', () => {
  const seed = Number(process.env['AMTSBOTE_SEED'] ?? Date.now() % 1_000_000)
  const below = generator(seed)

  it(`no fault but our own, and no content that the directory does not vouch for (seed ${seed})`, async () => {
    const original = rawZip({ entries: [...TWO, { name: 'c', content: 'drei' }], comment: Buffer.from('Kommentar') })
    let opened = 0
    for (let count = 0; count < COUNT; count++) {
      const bytes = Buffer.from(original)
      for (let flips = 1 + below(3); flips > 0; flips--) bytes[below(bytes.length)] = below(256)
      const cut = below(10) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes
      const container = await openContainer(bufferAccess(cut)).catch((error: unknown) => {
        assert.ok(error instanceof SigningError, String(error))
        return null
      })
      if (container === null) continue
      opened++
      for (const { content } of container.files) await whole(content)
    }
    assert.ok(opened > COUNT / 10)
  }).timeout(600_000)
})

/** A small generator whose seed can be given again. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}
