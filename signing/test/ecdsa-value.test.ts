import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sequence, unsignedInteger } from '../asn1/der.ts'
import { toDerValue, toPlainValue } from '../keys/ecdsa-value.ts'

/** Many zeros in front, as seldom happens by itself. */
const number = (bytes: number) =>
  fc
    .tuple(fc.uint8Array({ minLength: bytes, maxLength: bytes }), fc.nat(bytes))
    .map(([digits, zeros]) => Buffer.from(digits.fill(0, 0, zeros)))
const numbers = fc.integer({ min: 1, max: 66 }).chain((bytes) => fc.tuple(number(bytes), number(bytes)))

describe('an ECDSA value', () => {
  it('in DER is the sequence of its numbers, and comes back from it', () => {
    const fits = fc.property(numbers, ([r, s]) => {
      const plain = Buffer.concat([r, s])
      const value = toDerValue(plain)
      assert.deepEqual(value, sequence(unsignedInteger(r), unsignedInteger(s)))
      assert.deepEqual(toPlainValue(value, r.length), plain)
    })
    fc.assert(fits, { numRuns: 1000 })
  })

  it('of an odd or impossible length is a fault', () => {
    for (const length of [0, 1, 63, 134]) {
      assert.throws(() => toDerValue(Buffer.alloc(length)), { code: 'signing/signature-failed' })
    }
  })
})
