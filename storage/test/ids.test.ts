import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'

import { newId, newRowId, parseId, type RoomId } from '../ids.ts'
import { codeIs } from './support/codes.ts'

describe('ids', () => {
  it('are random UUIDs (RFC 9562 §5.4: version 4, variant 10)', () => {
    const seen = new Set(Array.from({ length: 500 }, () => newId<RoomId>(randomBytes)))
    assert.equal(seen.size, 500)
    for (const id of seen) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('take every byte from the source of chance that is not version or variant', () => {
    assert.equal(
      newId<RoomId>((size) => Buffer.alloc(size, 0xff)),
      'ffffffff-ffff-4fff-bfff-ffffffffffff',
    )
    assert.equal(
      newId<RoomId>((size) => Buffer.alloc(size, 0)),
      '00000000-0000-4000-8000-000000000000',
    )
  })

  it('of rows begin with the time (RFC 9562 §5.7), so that rows made together lie together', () => {
    const at = (ms: number, fill: number): RoomId =>
      newRowId<RoomId>({ clock: () => new Date(ms), random: (size) => Buffer.alloc(size, fill) })
    assert.equal(at(0x01_23_45_67_89_ab, 0xff), '01234567-89ab-7fff-bfff-ffffffffffff')
    assert.ok(at(1_000, 0xff) < at(1_001, 0))
    assert.match(at(Date.now(), 7), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('are read in upper case too, and stored in lower case', () => {
    assert.equal(parseId('room', 'FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF'), 'ffffffff-ffff-4fff-bfff-ffffffffffff')
  })

  for (const [fault, text] of [
    ['empty', ''],
    ['short', 'ffffffff-ffff-4fff-bfff-fffffffffff'],
    ['with a line end', 'ffffffff-ffff-4fff-bfff-ffffffffffff\n'],
    ['with a path', '../../../../../../etc/passwd00000000'],
    ['with a NUL', 'ffffffff-ffff-4fff-bfff-fffffffffff\0'],
    ['without hyphens', 'ffffffffffff4fffbfffffffffffffffffff'],
  ] as const) {
    it(`refuses text that is ${fault}`, () => {
      assert.throws(() => parseId('file', text), codeIs('storage/bad-id'))
    })
  }
})
