import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readRange } from '../http/range.ts'

const part = (start: number, end: number) => ({ kind: 'part', start, end })

describe('readRange', () => {
  it('reads the examples of RFC 9110 §14.1.2 for 10000 bytes', () => {
    assert.deepEqual(readRange('bytes=0-499', 10_000), part(0, 500))
    assert.deepEqual(readRange('bytes=500-999', 10_000), part(500, 1000))
    assert.deepEqual(readRange('bytes=-500', 10_000), part(9500, 10_000))
    assert.deepEqual(readRange('bytes=9500-', 10_000), part(9500, 10_000))
    assert.deepEqual(readRange('bytes=0-0', 10_000), part(0, 1))
    assert.deepEqual(readRange('bytes=0-99999', 10_000), part(0, 10_000))
    assert.deepEqual(readRange('bytes=-99999', 10_000), part(0, 10_000))
  })

  it('finds what lies outside of the file unsatisfiable', () => {
    assert.equal(readRange('bytes=10000-', 10_000).kind, 'unsatisfiable')
    assert.equal(readRange('bytes=-0', 10_000).kind, 'unsatisfiable')
    assert.equal(readRange('bytes=0-0', 0).kind, 'unsatisfiable')
    assert.equal(readRange('bytes=-5', 0).kind, 'unsatisfiable')
  })

  it('ignores what is not well-formed, of another unit, or several ranges', () => {
    for (const header of [
      '',
      'bytes=',
      'bytes=-',
      'bytes=5-4',
      'bytes=a-b',
      'bytes=0-1,2-3',
      'lines=0-1',
      'bytes=--1',
      'bytes=1e3-',
      'bytes=0x1-2',
      `bytes=${'9'.repeat(40)}-`,
    ]) {
      assert.equal(readRange(header, 10).kind, 'whole', header)
    }
  })

  it('never leaves the file, whatever the header', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
        ),
        fc.nat(),
        (header, size) => {
          const range = readRange(header, size)
          if (range.kind === 'part') assert.ok(0 <= range.start && range.start < range.end && range.end <= size)
        },
      ),
    )
  })
})
