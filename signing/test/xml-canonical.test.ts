/** Canonical forms of parts of documents: namespaces where they stand, comments, instructions, what is left out. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { canonicalizeDocument, canonicalText } from '../xml/c14n.ts'
import type { CanonicalOptions } from '../xml/c14n.ts'
import { elementsOf } from '../xml/ids.ts'
import { parseDocument } from '../xml/parse.ts'
import type { XmlDocument } from '../xml/tree.ts'

const LIMITS = { maxBytes: 100_000, maxDepth: 20, maxElements: 500 }
const parse = (text: string): XmlDocument => parseDocument(Buffer.from(text, 'utf8'), LIMITS)
const EXCLUSIVE: CanonicalOptions = { exclusive: new Set() }

/** canonical form of the first element with this local name */
function part(text: string, local: string, options: CanonicalOptions): string {
  const found = [...elementsOf(parse(text).root)].find((element) => element.local === local)
  assert.ok(found)
  return canonicalText(found, options)
}
const whole = (text: string, options: CanonicalOptions = {}): string =>
  canonicalizeDocument(parse(text), options).toString('utf8')

describe('canonical forms of parts', () => {
  it('Canonical XML 1.0 §3.1: instructions and comments outside the document element', () => {
    const text =
      '<?xml version="1.0"?>\n\n<?style   href="doc.xsl"\n   type="text/xsl"   ?>\n\n<doc>Hi<!-- 1 --></doc>\n\n<?without-data     ?>\n\n<!-- 2 -->\n\n<!-- 3 -->'
    const style = '<?style href="doc.xsl"\n   type="text/xsl"   ?>\n'
    assert.equal(whole(text), `${style}<doc>Hi</doc>\n<?without-data?>`)
    assert.equal(
      whole(text, { comments: true }),
      `${style}<doc>Hi<!-- 1 --></doc>\n<?without-data?>\n<!-- 2 -->\n<!-- 3 -->`,
    )
  })

  it('keeps the order of texts, comments and instructions inside', () => {
    const text = '<a>1<!--x-->2<?p q?>3<b/><!--y--></a>'
    assert.equal(whole(text, { comments: true }), '<a>1<!--x-->2<?p q?>3<b></b><!--y--></a>')
    assert.equal(whole(text), '<a>12<?p q?>3<b></b></a>')
  })

  it('Exclusive XML Canonicalization §2.2: the same element in two contexts has one form', () => {
    const inner =
      '<n1:elem2 xmlns:n1="http://example.net" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"/></n1:elem2>'
    const first = `<n0:local xmlns:n0="foo:bar" xmlns:n3="ftp://example.org">${inner}</n0:local>`
    const second = `<n2:pdu xmlns:n1="http://example.com" xmlns:n2="http://foo.example" xml:lang="fr" xml:space="retain">${inner}</n2:pdu>`
    const expected =
      '<n1:elem2 xmlns:n1="http://example.net" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>'
    assert.equal(part(first, 'elem2', EXCLUSIVE), expected)
    assert.equal(part(second, 'elem2', EXCLUSIVE), expected)
    const inclusive = { xmlAttributes: '1.0' } as const
    assert.equal(
      part(first, 'elem2', inclusive),
      '<n1:elem2 xmlns:n0="foo:bar" xmlns:n1="http://example.net" xmlns:n3="ftp://example.org" xml:lang="en"><n3:stuff></n3:stuff></n1:elem2>',
    )
    assert.equal(
      part(second, 'elem2', inclusive),
      '<n1:elem2 xmlns:n1="http://example.net" xmlns:n2="http://foo.example" xml:lang="en" xml:space="retain"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>',
    )
  })

  it('writes prefixes of the list as if inclusive, the default namespace among them', () => {
    const text = '<a xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q"><p:b><c xmlns="" q:x="1"/></p:b></a>'
    assert.equal(part(text, 'b', EXCLUSIVE), '<p:b xmlns:p="urn:p"><c xmlns:q="urn:q" q:x="1"></c></p:b>')
    assert.equal(
      part(text, 'b', { exclusive: new Set(['q', '']) }),
      '<p:b xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q"><c xmlns="" q:x="1"></c></p:b>',
    )
  })

  it('copies xml attributes of ancestors as its version says', () => {
    const text = '<a xml:id="i" xml:lang="de" xml:space="preserve"><b xml:lang="en"><c/></b></a>'
    assert.equal(part(text, 'c', {}), '<c></c>')
    assert.equal(part(text, 'c', { xmlAttributes: '1.0' }), '<c xml:id="i" xml:lang="en" xml:space="preserve"></c>')
    assert.equal(part(text, 'c', { xmlAttributes: '1.1' }), '<c xml:lang="en" xml:space="preserve"></c>')
    assert.equal(part(text, 'c', { ...EXCLUSIVE, xmlAttributes: '1.0' }), '<c></c>')
  })

  it('sorts by code points, not by UTF-16 units', () => {
    const text = '<a xmlns:x="urn:\u{10000}" xmlns:y="urn:\uffee" x:n="1" y:n="2"/>'
    assert.match(whole(text), / y:n="2" x:n="1">/)
  })

  it('leaves elements out with all that they contain', () => {
    const document = parse('<a><b><c/></b>x<c/></a>')
    const b = [...elementsOf(document.root)].find(({ local }) => local === 'b')
    assert.ok(b)
    assert.equal(canonicalText(document.root, { without: new Set([b]) }), '<a>x<c></c></a>')
  })

  it('reads ISO 8859-1 and UTF-16, and says the same', () => {
    const text = (encoding: string): string => `<?xml version="1.0" encoding="${encoding}"?><a>ä</a>`
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text('UTF-16'), 'utf16le')])
    for (const bytes of [Buffer.from(text('ISO-8859-1'), 'latin1'), utf16, Buffer.from(text('UTF-8'))])
      assert.equal(canonicalizeDocument(parseDocument(bytes, LIMITS), {}).toString('utf8'), '<a>ä</a>')
  })

  it('bounds namespaces: a document in which each element has many costs no more than its limit', () => {
    const many = Array.from({ length: 60 }, (_, n) => `xmlns:n${n}="u"`).join(' ')
    const deep = Array.from({ length: 150 }, (_, n) => `<a${n} ${many.replaceAll('xmlns:n', `xmlns:d${n}n`)}>`).join('')
    const bytes = Buffer.from(`${deep}${'<b xmlns="v"/>'.repeat(20_000)}`)
    const limits = { maxBytes: 1 << 24, maxDepth: 200, maxElements: 500_000 }
    assert.throws(() => parseDocument(bytes, limits), { code: 'signing/xml-too-large' })
  })

  const name = fc.constantFrom('a', 'b', 'p:c', 'q:d')
  const scope = fc.constantFrom('', ' xmlns="urn:1"', ' xmlns=""', ' xmlns:p="urn:2"', ' xmlns:q="urn:3" xml:lang="de"')
  const text = fc.constantFrom('', 'x', 'ä&amp;', '<!--c-->', '<?i d?>', '<![CDATA[<>]]>', '\r\n', '&#13;')
  const element = (children: fc.Arbitrary<string[]>): fc.Arbitrary<string> =>
    fc
      .tuple(name, scope, text, children, text)
      .map(([tag, declared, before, inner, after]) => `<${tag}${declared}>${before}${inner.join('')}${after}</${tag}>`)
  const leaf = element(fc.constant([]))
  const branch = element(fc.array(leaf, { maxLength: 3 }))
  const tree = element(fc.array(branch, { maxLength: 3 }))
  const forms: [string, CanonicalOptions][] = [
    ['inclusive', { comments: true }],
    ['exclusive', { ...EXCLUSIVE, comments: true }],
  ]
  for (const [what, form] of forms) {
    it(`is a fixed point: the ${what} form of any part parses and has itself as its form`, () => {
      fc.assert(
        fc.property(tree, fc.nat(), (inner, which) => {
          const document = parse(`<r xmlns:p="urn:p" xmlns:q="urn:q">${inner}</r>`)
          const elements = [...elementsOf(document.root)]
          const apex = elements[which % elements.length] ?? document.root
          const once = canonicalText(apex, form)
          assert.equal(canonicalText(parse(once).root, form), once)
        }),
        { numRuns: 300 },
      )
    })
  }
})
