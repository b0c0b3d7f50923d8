import assert from 'node:assert/strict'
import { derTrue, encode, integer, oid, sequence } from '../asn1/der.ts'
import { parseCertificate, sameName } from '../trust/certificate.ts'
import type { Certificate } from '../trust/certificate.ts'
import { buildPaths, validatePath } from '../trust/path.ts'
import type { PathConditions, TrustAnchor } from '../trust/path.ts'
import { criticalExtension, extension, issue, keyUsage } from './trust-pki.ts'
import type { Holder } from './trust-pki.ts'

const root = issue({ name: 'Root', ca: true })
const ca = issue({ name: 'CA', ca: true, issuer: root })
const leaf = issue({ name: 'Seal', issuer: ca })
const anchor: TrustAnchor = { certificate: root.certificate, source: 'test' }
const time = new Date('2026-03-01')

/** Faults of the best path, `none` when it is valid, `no path` when there is none. */
function judge(
  signer: Holder,
  pool: Holder[],
  options: { anchor?: TrustAnchor; conditions?: Partial<PathConditions> } = {},
): string {
  const certificates = pool.map(({ certificate }) => certificate)
  const [path] = buildPaths(signer.certificate, certificates, [options.anchor ?? anchor])
  if (path === undefined) return 'no path'
  const { kind, faults } = validatePath(path, { time, ...options.conditions })
  assert.equal(kind, faults.length === 0 ? 'valid' : 'invalid')
  return faults.map(({ reason, index }) => `${reason}@${index}`).join(' ') || 'none'
}

describe('certification paths', () => {
  it('lead from the signer over intermediates to an anchor', () => {
    assert.equal(judge(leaf, [ca]), 'none')
    assert.equal(judge(leaf, []), 'no path')
    assert.equal(judge(root, []), 'none')
  })

  it('collect every fault, not only the first', () => {
    const late = issue({ name: 'Late', ca: true, issuer: root, until: '2025-01-01' })
    const early = issue({
      name: 'Early',
      issuer: late,
      from: '2027-01-01',
      extensions: [criticalExtension('2.25.5', derTrue())],
    })
    assert.equal(judge(early, [late]), 'expired@1 not-yet-valid@0 unknown-critical-extension@0')
  })

  it('hold to the last second of validity', () => {
    const short = issue({ name: 'Short', issuer: ca, until: '2026-03-01T12:00:00Z' })
    const at = (text: string): string => judge(short, [ca], { conditions: { time: new Date(text) } })
    assert.equal(at('2026-03-01T12:00:00Z'), 'none')
    assert.equal(at('2026-03-01T12:00:01Z'), 'expired@0')
  })

  it('judge each certificate at the issue of the next one under the chain model only', () => {
    const old = issue({ name: 'Old CA', ca: true, issuer: root, until: '2024-01-01' })
    const signer = issue({ name: 'Notary', issuer: old, from: '2023-01-01' })
    assert.equal(judge(signer, [old]), 'expired@1')
    assert.equal(judge(signer, [old], { conditions: { model: 'chain' } }), 'none')
    const after = issue({ name: 'Late notary', issuer: old, from: '2025-01-01' })
    assert.equal(judge(after, [old], { conditions: { model: 'chain' } }), 'expired@1')
  })

  it('count only while their anchor is in force', () => {
    assert.equal(judge(leaf, [ca], { anchor: { ...anchor, until: new Date('2026-01-01') } }), 'anchor-not-in-force@2')
    assert.equal(judge(leaf, [ca], { anchor: { ...anchor, from: new Date('2026-04-01') } }), 'anchor-not-in-force@2')
  })

  it('end at an intermediate that is an anchor itself', () => {
    assert.equal(judge(leaf, [ca, root], { anchor: { certificate: ca.certificate, source: 'list' } }), 'none')
  })

  it('fail below a namesake of the CA, a leaf, and a CA without keyCertSign', () => {
    const namesake = issue({ name: 'CA', ca: true, issuer: root })
    assert.equal(judge(leaf, [namesake]), 'signature@0')
    assert.equal(judge(issue({ name: 'Below', issuer: leaf }), [leaf, ca]), 'not-a-ca@1')
    const mute = issue({
      name: 'Mute',
      issuer: root,
      extensions: [criticalExtension('2.5.29.19', sequence(derTrue())), keyUsage(0x02)],
    })
    assert.equal(judge(issue({ name: 'Below', issuer: mute }), [mute]), 'key-usage@1')
  })

  it('are found through the right one of several namesakes', () => {
    const namesakes = Array.from({ length: 5 }, () => issue({ name: 'CA', ca: true, issuer: root }))
    const pool = [...namesakes, ca].map(({ certificate }) => certificate)
    const paths = buildPaths(leaf.certificate, pool, [anchor])
    assert.equal(paths.length, 6)
    assert.equal(paths.filter((path) => validatePath(path, { time }).kind === 'valid').length, 1)
  })

  it('stay few among hostile crowds of certificates', () => {
    const crowd = Array.from(
      { length: 40 },
      () => issue({ name: 'Maze', ca: true, issuer: issue({ name: 'Maze', ca: true }) }).certificate,
    )
    const lost = issue({ name: 'Lost', issuer: issue({ name: 'Maze', ca: true }) })
    assert.deepEqual(buildPaths(lost.certificate, crowd, [anchor]), [])
    const exit = issue({ name: 'Maze', ca: true, issuer: root }).certificate
    assert.equal(buildPaths(lost.certificate, [...crowd, exit], [anchor], 10).length <= 10, true)
  })
})

describe('name constraints', () => {
  const subtree = (tag: number, value: Buffer | string): Buffer =>
    sequence(encode(tag, typeof value === 'string' ? Buffer.from(value) : value))
  const constrained = (permitted: Buffer[], excluded: Buffer[] = []): Holder => {
    const fields = [encode(0xa0, ...permitted), ...(excluded.length === 0 ? [] : [encode(0xa1, ...excluded)])]
    return issue({
      name: 'Narrow',
      ca: true,
      issuer: root,
      extensions: [criticalExtension('2.5.29.30', sequence(...fields))],
    })
  }
  const named = (issuer: Holder, tag: number, value: Buffer | string): string => {
    const name = encode(tag, typeof value === 'string' ? Buffer.from(value) : value)
    return judge(issue({ name: 'Named', issuer, extensions: [extension('2.5.29.17', sequence(name))] }), [issuer])
  }

  it('compare IP addresses under their mask', () => {
    const narrow = constrained([subtree(0x87, Buffer.from([10, 1, 0, 0, 255, 255, 0, 0]))])
    assert.equal(named(narrow, 0x87, Buffer.from([10, 1, 9, 9])), 'none')
    assert.equal(named(narrow, 0x87, Buffer.from([10, 2, 0, 1])), 'name-constraints@0')
    assert.equal(named(narrow, 0x87, Buffer.alloc(16)), 'name-constraints@0')
    assert.equal(named(narrow, 0x87, Buffer.alloc(5)), 'name-constraints@0')
  })

  it('compare hosts by label, mailboxes by host, URIs by authority', () => {
    const narrow = constrained([subtree(0x82, 'stadt.de'), subtree(0x81, '.stadt.de'), subtree(0x86, 'www.stadt.de')])
    assert.equal(named(narrow, 0x82, 'amt.STADT.de'), 'none')
    assert.equal(named(narrow, 0x82, 'vorstadt.de'), 'name-constraints@0')
    assert.equal(named(narrow, 0x81, 'a@amt.stadt.de'), 'none')
    assert.equal(named(narrow, 0x81, 'a@stadt.de'), 'name-constraints@0')
    assert.equal(named(narrow, 0x86, 'https://www.stadt.de:8443/x'), 'none')
    assert.equal(named(narrow, 0x86, 'https://www.stadt.de@boese.example/'), 'name-constraints@0')
    assert.equal(named(narrow, 0x86, 'urn:stadt'), 'name-constraints@0')
  })

  it('forbid forms of names that cannot be compared, and leave other forms alone', () => {
    const other = sequence(oid('1.2.3'), encode(0xa0, integer(1)))
    const narrow = constrained([subtree(0x82, 'stadt.de')], [sequence(encode(0xa0, other))])
    assert.equal(named(narrow, 0xa0, other), 'name-constraints@0')
    assert.equal(named(narrow, 0x87, Buffer.from([10, 1, 9, 9])), 'none')
  })

  it('make the path invalid when they cannot be read', () => {
    const odd = issue({
      name: 'Odd',
      ca: true,
      issuer: root,
      extensions: [criticalExtension('2.5.29.30', Buffer.from([0x30, 1]))],
    })
    assert.equal(judge(issue({ name: 'Below', issuer: odd }), [odd]), 'malformed-extension@1')
  })
})

describe('certificates', () => {
  it('have equal names across string types, case and spaces, and no other', () => {
    const read = (certificate: Certificate): Certificate['subject'] => certificate.subject
    const [a, b, c] = ['Stadt  Köln', ' stadt KÖLN ', 'Stadt Köln 2'].map((name) => read(issue({ name }).certificate))
    assert.ok(a !== undefined && b !== undefined && c !== undefined)
    assert.equal(sameName(a, b), true)
    assert.equal(sameName(a, c), false)
  })

  it('with bytes after their end, twice the same extension or a cut-off end are not read', () => {
    const { der } = leaf.certificate
    const twice = (): unknown =>
      issue({ name: 'Twice', extensions: [extension('2.25.5', derTrue()), extension('2.25.5', derTrue())] })
    const code = { code: 'signing/asn1-damaged' }
    assert.throws(() => parseCertificate(Buffer.concat([der, Buffer.from([0])])), code)
    assert.throws(() => parseCertificate(der.subarray(0, -1)), code)
    assert.throws(twice, code)
  })
})
