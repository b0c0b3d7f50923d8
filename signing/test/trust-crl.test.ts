import assert from 'node:assert/strict'
import { derTrue, encode, integer, sequence } from '../asn1/der.ts'
import type { Certificate } from '../trust/certificate.ts'
import { judgeRevocation } from '../trust/revocation/judgement.ts'
import type { RevocationQuestion } from '../trust/revocation/judgement.ts'
import type { RevocationVerdict } from '../trust/revocation/verdict.ts'
import { criticalExtension, extension, generalized, issue, issueList, keyUsage, nameOf } from './trust-pki.ts'
import type { Holder } from './trust-pki.ts'

const root = issue({ name: 'Root', ca: true })
const ca = issue({ name: 'CA', ca: true, issuer: root })
const leaf = issue({ name: 'Seal', issuer: ca })

type Given = Partial<RevocationQuestion> & { crls?: Buffer[] }

function judge({ crls = [], ...rest }: Given): RevocationVerdict {
  return judgeRevocation({
    certificate: leaf.certificate,
    issuer: ca.certificate,
    pool: [ca.certificate],
    anchors: [{ certificate: root.certificate, source: 'test' }],
    evidence: { certificates: [], crls, ocsps: [] },
    controlTime: new Date('2026-03-02'),
    ...rest,
  })
}

const reasons = ({ refused }: RevocationVerdict): string[] => refused.map(({ reason }) => reason)

describe('revocation lists', () => {
  const entry = { serial: leaf.certificate.serial, at: '2026-02-01' }

  it('name the revoked, and clear all others', () => {
    assert.equal(judge({ crls: [issueList({ issuer: ca })] }).kind, 'good')
    const verdict = judge({ crls: [issueList({ issuer: ca, entries: [{ ...entry, reason: 1 }] })] })
    assert.equal(verdict.kind, 'revoked')
    assert.equal(verdict.reason, 'keyCompromise')
  })

  it('are refused from a namesake, from a key without cRLSign, with a wrong signature', () => {
    const namesake = issueList({ issuer: issue({ name: 'CA', ca: true }) })
    assert.deepEqual(reasons(judge({ crls: [namesake] })), ['signature'])
    const mute = issue({
      name: 'Mute',
      issuer: root,
      extensions: [criticalExtension('2.5.29.19', sequence(derTrue())), keyUsage(0x04)],
    })
    const below = issue({ name: 'Below', issuer: mute })
    const verdict = judge({
      certificate: below.certificate,
      issuer: mute.certificate,
      crls: [issueList({ issuer: mute })],
    })
    assert.deepEqual(reasons(verdict), ['unauthorised-signer'])
    const broken = Buffer.from(issueList({ issuer: ca }))
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1
    assert.deepEqual(reasons(judge({ crls: [broken] })), ['signature'])
  })

  it('are refused with unknown critical extensions, also in the entry of another certificate', () => {
    const unknown = criticalExtension('2.25.1', Buffer.from([5, 0]))
    const crls = [
      issueList({ issuer: ca, extensions: [unknown] }),
      issueList({ issuer: ca, entries: [{ serial: Buffer.from([5]), at: '2026-02-01', extensions: [unknown] }] }),
      issueList({
        issuer: ca,
        entries: [{ serial: Buffer.from([5]), at: '2026-02-01', reason: 1, extensions: [unknown] }],
      }),
    ]
    for (const crl of crls) assert.deepEqual(reasons(judge({ crls: [crl] })), ['unknown-critical-extension'])
  })

  it('stay true about a revocation when they are outdated, but clear nobody', () => {
    const times = { from: '2026-01-01', until: '2026-01-02' }
    assert.equal(judge({ crls: [issueList({ issuer: ca, ...times })] }).kind, 'stale')
    assert.equal(
      judge({ crls: [issueList({ issuer: ca, ...times, entries: [{ ...entry, at: '2025-12-01' }] })] }).kind,
      'revoked',
    )
  })

  it('find the entry among ten thousand', () => {
    const others = Array.from({ length: 10_001 }, (_, index) => ({
      serial: Buffer.from([1, 2, index >> 8, index & 0xff]),
      at: '2026-01-01',
      reason: 4,
    }))
    const crl = issueList({ issuer: ca, entries: [...others, entry] })
    assert.equal(judge({ crls: [crl] }).kind, 'revoked')
    assert.equal(judge({ crls: [issueList({ issuer: ca, entries: others })] }).kind, 'good')
  })

  it('say nothing good about certificates that expired before, unless they keep such', () => {
    const expired = issue({ name: 'Expired', issuer: ca, until: '2025-02-01' }).certificate
    assert.deepEqual(reasons(judge({ certificate: expired, crls: [issueList({ issuer: ca })] })), [
      'issued-after-expiry',
    ])
    const named = issueList({ issuer: ca, entries: [{ serial: expired.serial, at: '2025-01-01' }] })
    assert.equal(judge({ certificate: expired, crls: [named] }).kind, 'revoked')
    const keeps = extension('2.5.29.60', generalized('2020-01-01'))
    assert.equal(judge({ certificate: expired, crls: [issueList({ issuer: ca, extensions: [keeps] })] }).kind, 'good')
  })
})

describe('indirect lists', () => {
  const point = (name: string): Buffer =>
    extension('2.5.29.31', sequence(sequence(encode(0xa2, encode(0xa4, nameOf(name))))))
  const indirect = criticalExtension('2.5.29.28', sequence(encode(0x84, Buffer.from([0xff]))))
  const named = (name: string): Buffer => criticalExtension('2.5.29.29', sequence(encode(0xa4, nameOf(name))))
  const listed = issue({ name: 'Listed', issuer: ca, extensions: [point('Lister')] })
  const ask = (lister: Holder, crl: Buffer, more: Buffer[] = []): RevocationVerdict =>
    judge({ certificate: listed.certificate, pool: [ca.certificate, lister.certificate], crls: [crl, ...more] })

  it('count when the certificate names their issuer, whose own status another list says', () => {
    const lister = issue({ name: 'Lister', issuer: root, extensions: [keyUsage(0x02)] })
    const crl = issueList({ issuer: lister, extensions: [indirect] })
    assert.ok(reasons(ask(lister, crl)).includes('signer-status-unknown'))
    assert.equal(ask(lister, crl, [issueList({ issuer: root })]).kind, 'good')
    const revoked = issueList({ issuer: root, entries: [{ serial: lister.certificate.serial, at: '2026-01-01' }] })
    assert.ok(reasons(ask(lister, crl, [revoked])).includes('signer-revoked'))
  })

  it('speak for their own issuer when the CA named it for that', () => {
    const lister = issue({ name: 'Lister', issuer: ca, extensions: [keyUsage(0x02), point('Lister')] })
    const ownList = (entries: { serial: Buffer; at: string; extensions: Buffer[] }[]): Buffer =>
      issueList({ issuer: lister, extensions: [indirect], entries })
    assert.equal(ask(lister, ownList([]), [issueList({ issuer: root })]).kind, 'good')
    const itself = { serial: lister.certificate.serial, at: '2026-01-01', extensions: [named('CA')] }
    assert.equal(ask(lister, ownList([itself]), [issueList({ issuer: root })]).kind, 'unavailable')
  })

  it('mean the issuer that an entry, or the last one before it, names', () => {
    const lister = issue({ name: 'Lister', issuer: root, extensions: [keyUsage(0x02)] })
    const { serial } = listed.certificate
    const at = '2026-02-01'
    const status = (entries: { serial: Buffer; at: string; extensions?: Buffer[] }[]): string =>
      ask(lister, issueList({ issuer: lister, extensions: [indirect], entries }), [issueList({ issuer: root })]).kind
    assert.equal(status([{ serial, at }]), 'good')
    assert.equal(status([{ serial, at, extensions: [named('CA')] }]), 'revoked')
    assert.equal(
      status([
        { serial: Buffer.from([5]), at, extensions: [named('CA')] },
        { serial, at },
      ]),
      'revoked',
    )
    assert.equal(
      status([
        { serial: Buffer.from([5]), at, extensions: [named('CA')] },
        { serial, at, extensions: [named('Root')] },
      ]),
      'good',
    )
  })
})

describe('delta lists', () => {
  const number = (value: number): Buffer => extension('2.5.29.20', integer(value))
  const base = (value: number): Buffer => criticalExtension('2.5.29.27', integer(value))
  const full = (entries: { serial: Buffer; at: string; reason?: number }[] = []): Buffer =>
    issueList({ issuer: ca, extensions: [number(5)], entries })
  const certificate: Certificate = leaf.certificate
  const { serial } = certificate

  it('add to their base and take off what was suspended', () => {
    const delta = (reason: number): Buffer =>
      issueList({
        issuer: ca,
        from: '2026-02-01',
        extensions: [number(6), base(4)],
        entries: [{ serial, at: '2026-02-01', reason }],
      })
    assert.equal(judge({ crls: [full(), delta(1)] }).kind, 'revoked')
    assert.equal(judge({ crls: [full([{ serial, at: '2026-01-01', reason: 6 }])] }).kind, 'hold')
    assert.equal(judge({ crls: [full([{ serial, at: '2026-01-01', reason: 6 }]), delta(8)] }).kind, 'good')
  })

  it('are nothing without a base that they build upon', () => {
    const delta = issueList({ issuer: ca, extensions: [number(9), base(6)], entries: [{ serial, at: '2026-02-01' }] })
    assert.deepEqual(reasons(judge({ crls: [delta] })), ['no-base'])
    const both = judge({ crls: [full(), delta] })
    assert.deepEqual([both.kind, reasons(both)], ['good', ['no-base']])
  })
})
