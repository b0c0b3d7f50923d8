/**
 * Mutated trusted lists: a verdict within two seconds, and never an accepted list that says something else than what was
 * signed. Half of the mutations are signed again, so that they get past the signature and deep into the answers.
 * `npm run prove` does 100,000, `npm test` a sample.
 */
import assert from 'node:assert/strict'
import { oid, sequence } from '../asn1/der.ts'
import { checkList } from '../trust/lists/check-list.ts'
import { createTrustedLists } from '../trust/lists/trusted-lists.ts'
import { verifyEnveloped } from '../xml/enveloped.ts'
import { keyUsage, listXml, policySet, qualification, signedList } from './support/test-lists.ts'
import { extension, issue } from './trust-pki.ts'

const PROVE = process.env['AMTSBOTE_PROVE'] === '1'
const SEED = Number(process.env['AMTSBOTE_SEED'] ?? 20261127)
const MUTATIONS = PROVE ? 100_000 : 2_000
const TIMEOUT_MS = PROVE ? 3_600_000 : 60_000
const NOW = new Date('2026-03-01T00:00:00Z')

const agency = issue({ name: 'Agency' })
const authority = issue({ name: 'CA', ca: true })
const signer = issue({
  name: 'Signer',
  issuer: authority,
  extensions: [
    extension('1.3.6.1.5.5.7.1.3', sequence(sequence(oid('0.4.0.1862.1.1')), sequence(oid('0.4.0.1862.1.4')))),
    extension('2.5.29.32', sequence(sequence(oid('2.999.1')))),
  ],
}).certificate
const nested = `<q:CriteriaList assert="none">${policySet('2.999.2')}</q:CriteriaList>${keyUsage({ nonRepudiation: false })}`
const xml = listXml({
  pointers: [{ location: 'https://eu.example', territory: 'EU', certificates: [agency.certificate.der] }],
  services: [
    {
      certificates: [authority.certificate.der],
      extensions: qualification(['QCNoQSCD'], nested, 'all') + qualification(['NotQualified'], policySet('2.999.3')),
      history: [{ status: 'undersupervision', from: '2012-01-01T00:00:00Z', scopes: [] }],
    },
    { type: 'TSA/QTST', certificates: [signer.der], identities: '<DigitalId><X509SKI>AAAA</X509SKI></DigitalId>' },
  ],
})
const genuine = signedList(xml, agency)
const expectation = { type: 'EUgeneric', territory: 'DE', signers: [agency.certificate], previous: null }
const origin = { location: 'https://de.example', retrievedAt: NOW }

/** xorshift32: the same seed makes the same mutations */
function randomSource(seed: number): Random {
  let state = seed | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const [firstTag = { index: 0, length: 0 }, ...otherTags] = [...xml.matchAll(/<[^>]+>/g)].map(({ index, 0: text }) => ({
  index,
  length: text.length,
}))
const TAGS = [firstTag, ...otherTags] as const
const PIECES: readonly [string, ...string[]] = [
  '<!--x-->',
  '<![CDATA[<x/>]]>',
  '<!DOCTYPE a>',
  '<?p i?>',
  '&amp;',
  '&x;',
  '\0',
  '\u{10ffff}',
  '<a>',
  '</a>',
  ' ',
  '-1',
  '99',
]

type Random = (below: number) => number
const pick = <T>(list: readonly [T, ...T[]], random: Random): T => list[random(list.length)] ?? list[0]
const someTag = (random: Random): { index: number; length: number } => pick(TAGS, random)

/** One change somewhere, in bytes or in structure. */
function mutate(bytes: Buffer, random: Random): Buffer {
  return pick(CHANGES, random)(bytes, random, random(bytes.length))
}

const CHANGES: readonly [Change, ...Change[]] = [
  (bytes, random, at) => replaced(bytes, at, at + 1, Buffer.from([(bytes[at] ?? 0) ^ (1 << random(8))])),
  (bytes, random, at) => replaced(bytes, at, at + 1 + random(40)),
  (bytes, random, at) => replaced(bytes, at, at, bytes.subarray(at, at + 1 + random(40))),
  (bytes, random, at) => replaced(bytes, at, at, Buffer.from(pick(PIECES, random))),
  (bytes, random) => {
    const { index, length } = someTag(random)
    return replaced(bytes, index, index + random(2) * length, Buffer.from(pick(PIECES, random)))
  },
  (bytes, random, at) => {
    const [from = 0, to = 0] = [someTag(random).index, someTag(random).index].sort((a, b) => a - b)
    return replaced(bytes, at, at, bytes.subarray(from, to))
  },
]
type Change = (bytes: Buffer, random: Random, at: number) => Buffer

const replaced = (bytes: Buffer, from: number, to: number, by: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)])

/** Judges and answers; what it gives says how far it came. */
function judge(bytes: Buffer): string {
  const verdict = checkList(bytes, origin, expectation)
  if (verdict.kind === 'refused') return verdict.reason
  const trusted = createTrustedLists({ listOfLists: null, pivots: [], lists: [verdict.list] })
  const qualifier = trusted.qualifier({ at: NOW, maxOverdueDays: 14 })
  const anchor = { certificate: authority.certificate, source: 'test' }
  const question = { certificate: signer, path: [signer], anchor, form: 'signature' as const }
  const { kind } = qualifier.qualify({ ...question, issuedAt: signer.notBefore, bestTime: NOW })
  qualifier.isQualifiedTimestamp({ certificate: signer, path: [signer], anchor, genTime: NOW })
  return kind
}

describe('mutated trusted lists', () => {
  const signed = verifyEnveloped(genuine)
  assert.ok(signed.kind === 'holds')

  it(`are refused or say what was signed (seed ${SEED})`, () => {
    assert.equal(judge(genuine), 'AdESig-QC')
    const random = randomSource(SEED)
    for (let n = 0; n < MUTATIONS / 2; n++) {
      const mutated = mutate(genuine, random)
      const started = process.cpuUsage()
      const outcome = judge(mutated)
      const { user, system } = process.cpuUsage(started)
      assert.ok(user + system < 2_000_000, `mutation ${n} took too long`)
      if (outcome in REFUSALS) continue
      const octets = verifyEnveloped(mutated, [agency.certificate])
      assert.ok(octets.kind === 'holds' && octets.signedOctets.equals(signed.signedOctets), `mutation ${n}`)
    }
  }).timeout(TIMEOUT_MS)

  it(`that are signed again never end in anything but a verdict (seed ${SEED})`, () => {
    const random = randomSource(SEED + 1)
    const outcomes = new Map<string, number>()
    for (let n = 0; n < MUTATIONS / 2; n++) {
      const mutated = signedOrNot(mutate(Buffer.from(xml), random))
      const started = process.cpuUsage()
      const outcome = judge(mutated)
      const { user, system } = process.cpuUsage(started)
      assert.ok(user + system < 2_000_000, `mutation ${n} took too long`)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    // a sample that never passes the signature, or never changes an answer, would prove nothing
    assert.ok((outcomes.get('AdESig-QC') ?? 0) > MUTATIONS / 20, JSON.stringify([...outcomes]))
    assert.ok(outcomes.size > 5, JSON.stringify([...outcomes]))
  }).timeout(TIMEOUT_MS)
})

/** What cannot be read cannot be signed either: it is judged as it is. */
function signedOrNot(bytes: Buffer): Buffer {
  try {
    return signedList(bytes.toString(), agency)
  } catch {
    return bytes
  }
}

const REFUSALS = { unreadable: 1, version: 1, kind: 1, territory: 1, signature: 1, rollback: 1 }
