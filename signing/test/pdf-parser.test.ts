import assert from 'node:assert/strict'
import fc from 'fast-check'
import { SigningError } from '../index.ts'
import { CutOff, PdfParser } from '../pdf/parser.ts'
import { serialize, stringBytes } from '../pdf/values.ts'
import type { PdfValue } from '../pdf/values.ts'

const parse = (text: string): PdfValue => new PdfParser(Buffer.from(`${text} endobj `, 'latin1')).value()

const byteText = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const scalar = fc.oneof(
  fc.constant<PdfValue>({ kind: 'null' }),
  fc.boolean().map((value): PdfValue => ({ kind: 'boolean', value })),
  fc.integer().map((value): PdfValue => ({ kind: 'number', text: String(value) })),
  fc.constantFrom('0.5', '-.002', '+17', '4.').map((text): PdfValue => ({ kind: 'number', text })),
  byteText.map((value): PdfValue => ({ kind: 'name', value })),
  fc.uint8Array({ maxLength: 20 }).map((bytes): PdfValue => {
    return { kind: 'string', raw: `<${Buffer.from(bytes).toString('hex')}>` }
  }),
  fc.constantFrom('()', '(a(b)c)', '(\\)\\\\)', '(\\053 \\\n)').map((raw): PdfValue => {
    return { kind: 'string', raw }
  }),
  fc.tuple(fc.nat(99_999), fc.nat(65_535)).map(([number, generation]): PdfValue => {
    return { kind: 'reference', number, generation }
  }),
)
const { value } = fc.letrec<{ value: PdfValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }).map((items): PdfValue => ({ kind: 'array', items })),
    fc.array(fc.tuple(byteText, tie('value')), { maxLength: 5 }).map((entries): PdfValue => {
      return { kind: 'dictionary', entries: new Map(entries) }
    }),
  ),
}))

describe('a PDF value', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(value, (given) => {
        assert.deepEqual(parse(serialize(given)), given)
      }),
      { numRuns: 500 },
    )
  })

  it('has comments, line ends and names in every spelling', () => {
    assert.deepEqual(parse('%x\r\n[/A#42%y\n/B<4 1>(a\\\r\nb)1 0 R 1 0 2]'), {
      kind: 'array',
      items: [
        { kind: 'name', value: 'AB' },
        { kind: 'name', value: 'B' },
        { kind: 'string', raw: '<4 1>' },
        { kind: 'string', raw: '(a\\\r\nb)' },
        { kind: 'reference', number: 1, generation: 0 },
        { kind: 'number', text: '1' },
        { kind: 'number', text: '0' },
        { kind: 'number', text: '2' },
      ],
    })
  })

  it('as a string stands for bytes', () => {
    const cases: [string, string][] = [
      ['(a\\(b\\)\\\\)', 'a(b)\\'],
      ['(\\101\\7x\\0534)', 'A\x07x+4'],
      ['(a\\\nb\\\r\nc)', 'abc'],
      ['(a\r\nb\rc)', 'a\nb\nc'],
      ['(\\n\\r\\t\\b\\f\\q)', '\n\r\t\b\fq'],
      ['<48 65 6>', 'He`'],
      ['<>', ''],
    ]
    for (const [raw, expected] of cases) {
      assert.equal(stringBytes(raw).toString('latin1'), expected, raw)
    }
  })

  it('is refused when it is misspelt', () => {
    const wrong = [
      ')',
      ']',
      '>>',
      '}',
      '1.2.3 ',
      '1-2 ',
      '+ ',
      'nul ',
      'True ',
      '<</A>>',
      '<</A 1/A 2>>',
      '<<1 2>>',
      '<4x>',
      '<</A 1> ',
    ]
    for (const text of wrong) {
      assert.throws(() => parse(text), { name: 'SigningError', code: 'signing/pdf-damaged' }, text)
    }
  })

  it('that the buffer cuts off is told apart from a wrong one', () => {
    const text = '<</Name(x)/List[1 0 R <41> true]/Next<</A/B>>>>'
    for (let length = 0; length < text.length; length++) {
      assert.throws(() => new PdfParser(Buffer.from(text.slice(0, length))).value(), CutOff, text.slice(0, length))
    }
  })

  it('answers any bytes with a value or an error of this module', () => {
    const noise = fc.array(fc.constantFrom(...Buffer.from('<>[]()/%\\ 019-.R\nobjtruefalse#\0')), { maxLength: 60 })
    fc.assert(
      fc.property(noise, (characters) => {
        try {
          parse(Buffer.from(characters).toString('latin1'))
        } catch (error) {
          assert.ok(error instanceof CutOff || error instanceof SigningError, String(error))
        }
      }),
      { numRuns: 3000 },
    )
  })
})
