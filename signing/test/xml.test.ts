/** XML from strangers: what is read, what is refused, and its canonical form. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { canonicalText, canonicalize, parseXml } from '../index.ts'
import type { XmlElement, XmlLimits } from '../index.ts'

const LIMITS: XmlLimits = { maxBytes: 100_000, maxDepth: 20, maxElements: 500 }
const parse = (text: string, limits = LIMITS): XmlElement => parseXml(Buffer.from(text, 'utf8'), limits)
const c14n = (text: string): string => canonicalText(parse(text))

describe('XML from strangers', () => {
  const refused: [string, string | Buffer, string][] = [
    ['a document type', '<!DOCTYPE a><a/>', 'signing/xml-forbidden'],
    ['an entity bomb', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'signing/xml-forbidden'],
    ['an external entity', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'signing/xml-forbidden'],
    ['a processing instruction', '<a><?php ?></a>', 'signing/xml-forbidden'],
    ['a stylesheet instruction', '<?xml-stylesheet href="x"?><a/>', 'signing/xml-malformed'],
    ['an unknown entity', '<a>&nbsp;</a>', 'signing/xml-malformed'],
    ['a lone ampersand', '<a>R&D</a>', 'signing/xml-malformed'],
    ['a character that XML forbids', '<a>&#0;</a>', 'signing/xml-malformed'],
    ['a surrogate as reference', '<a>&#xD800;</a>', 'signing/xml-malformed'],
    ['a reference beyond Unicode', '<a>&#x110000;</a>', 'signing/xml-malformed'],
    ['NUL', '<a>\0</a>', 'signing/xml-malformed'],
    ['bytes that are not UTF-8', Buffer.from([0x3c, 0x61, 0xff, 0x2f, 0x3e]), 'signing/xml-malformed'],
    ['another encoding', '<?xml version="1.0" encoding="ISO-8859-1"?><a/>', 'signing/xml-malformed'],
    ['nothing', '', 'signing/xml-malformed'],
    ['text only', 'a', 'signing/xml-malformed'],
    ['two roots', '<a/><b/>', 'signing/xml-malformed'],
    ['text behind the root', '<a/>x', 'signing/xml-malformed'],
    ['an end without start', '</a>', 'signing/xml-malformed'],
    ['an open end', '<a><b></b>', 'signing/xml-malformed'],
    ['crossed tags', '<a><b></a></b>', 'signing/xml-malformed'],
    ['an attribute twice', '<a b="1" b="2"/>', 'signing/xml-malformed'],
    ['an attribute twice by namespace', '<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>', 'signing/xml-malformed'],
    ['attributes without a blank', '<a b="1"c="2"/>', 'signing/xml-malformed'],
    ['an attribute without quotes', '<a b=1/>', 'signing/xml-malformed'],
    ['a < in an attribute', '<a b="<"/>', 'signing/xml-malformed'],
    ['an undeclared prefix', '<p:a/>', 'signing/xml-malformed'],
    ['an undeclared prefix of an attribute', '<a p:b="1"/>', 'signing/xml-malformed'],
    ['an undeclaring prefix', '<a xmlns:p=""/>', 'signing/xml-malformed'],
    ['a redefined xml prefix', '<a xmlns:xml="u"/>', 'signing/xml-malformed'],
    ['the xmlns namespace', '<a xmlns:p="http://www.w3.org/2000/xmlns/"/>', 'signing/xml-malformed'],
    ['a namespace declared twice', '<a xmlns:p="u" xmlns:p="v"/>', 'signing/xml-malformed'],
    ['an open comment', '<a><!-- </a>', 'signing/xml-malformed'],
    ['a comment with two hyphens', '<a><!-- -- --></a>', 'signing/xml-malformed'],
    ['an open CDATA section', '<a><![CDATA[x</a>', 'signing/xml-malformed'],
    ['a CDATA end in text', '<a>]]></a>', 'signing/xml-malformed'],
    ['65 attributes', `<a ${Array.from({ length: 65 }, (_, n) => `a${n}="1"`).join(' ')}/>`, 'signing/xml-too-large'],
  ]
  for (const [what, text, code] of refused) {
    it(`refuses ${what}`, () => {
      const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
      assert.throws(() => parseXml(bytes, LIMITS), { name: 'SigningError', code })
    })
  }

  it('bounds bytes, depth and elements', () => {
    const code = { code: 'signing/xml-too-large' }
    assert.throws(() => parse('<a/>', { ...LIMITS, maxBytes: 3 }), code)
    assert.throws(() => parse('<a>'.repeat(21) + '</a>'.repeat(21)), code)
    assert.throws(() => parse(`<a>${'<b/>'.repeat(500)}</a>`), code)
    assert.ok(parse('<a>'.repeat(20) + '</a>'.repeat(20)))
  })

  it('reads text around comments and CDATA as one text', () => {
    assert.deepEqual(parse('<a>x<!-- y -->z<![CDATA[<&]]></a>').children, ['xz<&'])
  })

  it('normalises line ends and attribute values, but not their references', () => {
    const root = parse('<a b="x\r\ny\tz&#10;&#9;">1\r\n2\r3&#13;</a>')
    assert.deepEqual(root.children, ['1\n2\n3\r'])
    assert.equal(root.attributes[0]?.value, 'x y z\n\t')
  })

  it('takes any bytes and throws only its own error', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text, 'utf8')),
    )
    fc.assert(
      fc.property(anything, (bytes) => {
        try {
          parseXml(Buffer.from(bytes), LIMITS)
        } catch (error) {
          assert.equal((error as Error).name, 'SigningError')
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('canonical XML', () => {
  it('Canonical XML 1.0 §3.3: start and end tags', () => {
    const input = `<doc>
   <e1   />
   <e2   ></e2>
   <e3   name = "elem3"   id="elem3"   />
   <e5 a:attr="out" b:attr="sorted" attr2="all" attr="I'm"
      xmlns:b="http://www.ietf.org"
      xmlns:a="http://www.w3.org"
      xmlns="http://example.org"/>
   <e6 xmlns="" xmlns:a="http://www.w3.org">
      <e7 xmlns="http://www.ietf.org">
         <e8 xmlns="" xmlns:a="http://www.w3.org">
            <e9 xmlns="" xmlns:a="http://www.ietf.org"/>
         </e8>
      </e7>
   </e6>
</doc>`
    const expected = `<doc>
   <e1></e1>
   <e2></e2>
   <e3 id="elem3" name="elem3"></e3>
   <e5 xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" b:attr="sorted" a:attr="out"></e5>
   <e6 xmlns:a="http://www.w3.org">
      <e7 xmlns="http://www.ietf.org">
         <e8 xmlns="">
            <e9 xmlns:a="http://www.ietf.org"></e9>
         </e8>
      </e7>
   </e6>
</doc>`
    assert.equal(c14n(input), expected)
  })

  it('Canonical XML 1.0 §3.4: character modifications and references', () => {
    const input = `<doc>
   <text>First line&#x0d;&#10;Second line</text>
   <value>&#x32;</value>
   <compute><![CDATA[value>"0" && value<"10" ?"valid":"error"]]></compute>
   <compute expr='value>"0" &amp;&amp; value&lt;"10" ?"valid":"error"'>valid</compute>
   <norm attr=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; '/>
</doc>`
    const expected = `<doc>
   <text>First line&#xD;
Second line</text>
   <value>2</value>
   <compute>value&gt;"0" &amp;&amp; value&lt;"10" ?"valid":"error"</compute>
   <compute expr="value>&quot;0&quot; &amp;&amp; value&lt;&quot;10&quot; ?&quot;valid&quot;:&quot;error&quot;">valid</compute>
   <norm attr=" '    &#xD;&#xA;&#x9;   ' "></norm>
</doc>`
    assert.equal(c14n(input), expected)
  })

  it('writes > in attributes as the common OSCI library does when told so', () => {
    assert.equal(canonicalText(parse('<a b=">"/>'), { escapeGreaterInAttributes: true }), '<a b="&gt;"></a>')
  })

  it('renders all inherited namespaces at the apex, and none that count as rendered', () => {
    const root = parse('<a xmlns="u" xmlns:p="v"><b c="1"/></a>')
    const [apex] = root.children
    assert.ok(apex !== undefined && typeof apex !== 'string')
    assert.equal(canonicalText(apex), '<b xmlns="u" xmlns:p="v" c="1"></b>')
    assert.equal(canonicalText(apex, { rendered: root.scope }), '<b c="1"></b>')
  })

  it('is a fixed point: the canonical form of a canonical form is itself', () => {
    const name = fc.constantFrom('a', 'b', 'p:c', 'q:d')
    const text = fc.string({ maxLength: 8 }).map((value) => value.replace(/[^\x20-\x7e\n\t]/g, '').replace(/]]>/g, ''))
    const escaped = text.map((value) => value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;'))
    const element = (children: fc.Arbitrary<string[]>): fc.Arbitrary<string> =>
      fc
        .tuple(name, escaped, escaped, children)
        .map(([tag, value, inner, nested]) => `<${tag} x="${value}">${inner}${nested.join('')}</${tag}>`)
    const leaf = element(fc.constant([]))
    const tree = element(fc.array(element(fc.array(leaf, { maxLength: 3 })), { maxLength: 3 }))
    fc.assert(
      fc.property(tree, (inner) => {
        const once = c14n(`<r xmlns:p="urn:p" xmlns:q="urn:q">${inner}</r>`)
        assert.equal(c14n(once), once)
        assert.deepEqual(canonicalize(parse(once)), Buffer.from(once))
      }),
      { numRuns: 200 },
    )
  })
})
