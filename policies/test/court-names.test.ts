import assert from 'node:assert/strict'
import { COURT_RULES } from '../court-form.ts'
import type { CourtRule } from '../court-form.ts'
import { judgeCourtNames, nameEnding, nameKey } from '../court-names.ts'

const rulesOf = (...names: string[]): string[] => judgeCourtNames(names).map(({ rule, index }) => `${index} ${rule}`)

describe('names of files for courts', () => {
  it('may have letters, umlauts, digits, underscore and hyphen, and one dot before the ending', () => {
    assert.deepEqual(rulesOf('Klage_2026-11-23.pdf', 'ÄÖÜäöüß.pdf', 'a.tiff', 'Klage.p7s'), [])
  })

  it('may have a second dot before the ending of a signature, and no third', () => {
    assert.deepEqual(rulesOf('Klage.pdf.p7s', 'Klage.pdf.PKCS7'), [])
    assert.deepEqual(rulesOf('Klage.v2.pdf.p7s', 'Klage.v2.pdf'), ['0 name-dots', '1 name-dots'])
  })

  for (const name of ['Klage', '.pdf', 'Klage.', 'Klage..pdf', '', '.', 'Klage.pdf.']) {
    it(`need something on both sides of the dot, unlike "${name}"`, () => {
      assert.deepEqual(rulesOf(name), ['0 name-dots'])
    })
  }

  it('have 90 characters with their ending, and not 91', () => {
    assert.deepEqual(rulesOf(`${'a'.repeat(86)}.pdf`), [])
    const [finding] = judgeCourtNames([`${'a'.repeat(87)}.pdf`])
    assert.deepEqual([finding?.rule, finding?.detail], ['name-length', '91 > 90'])
  })

  it('count characters, not halves of them', () => {
    const [first, ...others] = judgeCourtNames([`${'😀'.repeat(86)}.pdf`])
    assert.deepEqual([first?.rule, first?.detail, others], ['name-characters', 'U+1F600', []])
  })

  for (const [name, detail] of [
    ['Meine Klage.pdf', 'U+0020'],
    ['Klage(1).pdf', 'U+0028 U+0029'],
    ['Café.pdf', 'U+00E9'],
    ['Kla\u0308ger.pdf', 'U+0308'],
    ['../Klage.pdf', 'U+002F'],
    ['Klage\u202egpj.pdf', 'U+202E'],
    ['Klage\0.pdf', 'U+0000'],
    ['GROẞ.pdf', 'U+1E9E'],
  ] as const) {
    it(`have no ${detail}`, () => {
      const findings = judgeCourtNames([name]).filter(({ rule }) => rule === 'name-characters')
      assert.deepEqual(
        findings.map((finding) => finding.detail),
        [detail],
      )
    })
  }

  it('are not those that the sending program gives itself, in any case of letters', () => {
    assert.deepEqual(rulesOf('xjustiz_nachricht.xml', 'VHN.xml', 'vhn.xml.p7s', 'vhn.pdf'), [
      '0 name-reserved',
      '1 name-reserved',
      '2 name-reserved',
    ])
  })

  it('are different for every system: case and composition do not count', () => {
    assert.deepEqual(rulesOf('Klage.pdf', 'Anlage.pdf', 'KLAGE.PDF', 'klage.pdf'), ['2 name-twice', '3 name-twice'])
    const twice = judgeCourtNames(['Kläger.pdf', 'KLA\u0308GER.pdf']).filter(({ rule }) => rule === 'name-twice')
    assert.deepEqual(twice, [{ rule: 'name-twice', index: 1, detail: 'Kläger.pdf' }])
    assert.equal(nameKey('A\u0308'), nameKey('ä'))
    assert.equal(nameEnding('Klage.PDF'), 'pdf')
  })

  it('break several rules at once', () => {
    assert.deepEqual(rulesOf(`${'a b'.repeat(31)}.x.pdf`), ['0 name-length', '0 name-characters', '0 name-dots'])
  })
})

describe('the rules of courts', () => {
  const rules = Object.entries(COURT_RULES) as [string, CourtRule][]

  it('name a source each', () => {
    for (const [id, { basis }] of rules) assert.match(basis, /^(§ \d|Leitfaden)/, id)
  })

  it('are laxer about signatures on a secure way, and about nothing else', () => {
    const lax = rules.filter(([, { onSecureWay }]) => onSecureWay !== undefined)
    assert.ok(lax.every(([, { about, onSecureWay }]) => about === 'form' && onSecureWay === 'warn'))
  })
})
