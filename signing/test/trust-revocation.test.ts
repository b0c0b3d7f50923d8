import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { derTrue, encode, integer, octetString, oid, sequence } from '../asn1/der.ts'
import type { Certificate } from '../trust/certificate.ts'
import { judgeRevocation } from '../trust/revocation/judgement.ts'
import type { RevocationQuestion } from '../trust/revocation/judgement.ts'
import type { RevocationVerdict } from '../trust/revocation/verdict.ts'
import {
  answer,
  criticalExtension,
  extendedKeyUsage,
  extension,
  generalized,
  issue,
  issueList,
  keyUsage,
  nameOf,
} from './trust-pki.ts'
import type { Holder } from './trust-pki.ts'

const root = issue({ name: 'Root', ca: true })
const ca = issue({ name: 'CA', ca: true, issuer: root })
const leaf = issue({ name: 'Seal', issuer: ca })
const NO_CHECK = extension('1.3.6.1.5.5.7.48.1.5', Buffer.from([5, 0]))
const OCSP_SIGNING = extendedKeyUsage('1.3.6.1.5.5.7.3.9')
const responder = issue({ name: 'OCSP', issuer: ca, extensions: [OCSP_SIGNING, NO_CHECK] })

type Given = Partial<RevocationQuestion> & { ocsps?: Buffer[]; crls?: Buffer[] }

function judge({ ocsps = [], crls = [], ...rest }: Given): RevocationVerdict {
  return judgeRevocation({
    certificate: leaf.certificate,
    issuer: ca.certificate,
    pool: [ca.certificate],
    anchors: [{ certificate: root.certificate, source: 'test' }],
    evidence: { certificates: [], crls, ocsps },
    controlTime: new Date('2026-03-02'),
    ...rest,
  })
}

const reasons = ({ refused }: RevocationVerdict): string[] => refused.map(({ reason }) => reason)
const about = { certificate: leaf.certificate, issuer: ca, signer: ca }

describe('OCSP answers', () => {
  it('count when the CA signed them, by name and by key, with SHA-1 and SHA-256 in the CertID', () => {
    for (const byKey of [true, false]) {
      for (const digest of ['sha1', 'sha256'] as const) {
        const verdict = judge({ ocsps: [answer({ ...about, byKey, digest })] })
        assert.equal(verdict.kind, 'good')
        assert.equal(verdict.source.signer, ca.certificate)
      }
    }
  })

  it('count from a delegate of the CA that is marked for it', () => {
    const response = answer({ ...about, signer: responder, certificates: [responder.certificate] })
    assert.equal(judge({ ocsps: [response] }).kind, 'good')
  })

  it('do not count from a delegate without the mark, of another CA, or out of date', () => {
    const strangers = [
      issue({ name: 'OCSP', issuer: ca, extensions: [NO_CHECK] }),
      issue({ name: 'OCSP', issuer: issue({ name: 'CA', ca: true }), extensions: [OCSP_SIGNING, NO_CHECK] }),
      issue({ name: 'OCSP', issuer: ca, until: '2026-02-01', extensions: [OCSP_SIGNING, NO_CHECK] }),
      issue({ name: 'CA', ca: true }),
    ]
    for (const signer of strangers) {
      const verdict = judge({ ocsps: [answer({ ...about, signer, certificates: [signer.certificate] })] })
      assert.equal(verdict.kind, 'unavailable')
      assert.notDeepEqual(reasons(verdict), [])
    }
  })

  it('count from a responder that the caller trusts for all issuers', () => {
    const trusted = issue({ name: 'National OCSP' })
    const ocsps = [answer({ ...about, signer: trusted })]
    assert.deepEqual(reasons(judge({ ocsps })), ['unauthorised-signer'])
    assert.equal(judge({ ocsps, trustedResponders: [trusted.certificate] }).kind, 'good')
  })

  it('need the status of a delegate that does not carry nocheck', () => {
    const delegate = issue({ name: 'Delegate', issuer: ca, extensions: [OCSP_SIGNING] })
    const response = answer({ ...about, signer: delegate, certificates: [delegate.certificate] })
    assert.deepEqual(reasons(judge({ ocsps: [response] })), ['signer-status-unknown'])
    const clean = issueList({ issuer: ca })
    assert.equal(judge({ ocsps: [response], crls: [clean] }).kind, 'good')
    const dirty = issueList({ issuer: ca, entries: [{ serial: delegate.certificate.serial, at: '2026-02-01' }] })
    const verdict = judge({ ocsps: [response], crls: [dirty] })
    assert.ok(reasons(verdict).includes('signer-revoked'))
  })

  it('say since when and why a certificate is revoked', () => {
    const verdict = judge({ ocsps: [answer({ ...about, status: { at: '2026-02-01T10:00:00Z', reason: 1 } })] })
    assert.equal(verdict.kind, 'revoked')
    assert.equal(verdict.reason, 'keyCompromise')
    assert.deepEqual(verdict.time, new Date('2026-02-01T10:00:00Z'))
  })

  it('tell suspension and ignorance from revocation', () => {
    assert.equal(judge({ ocsps: [answer({ ...about, status: { at: '2026-02-01', reason: 6 } })] }).kind, 'hold')
    assert.equal(judge({ ocsps: [answer({ ...about, status: 'unknown' })] }).kind, 'unknown')
  })

  it('are outweighed by a revocation, but a suspension ends with a newer "good"', () => {
    const old = answer({
      ...about,
      thisUpdate: '2026-02-20',
      nextUpdate: '2026-03-20',
      status: { at: '2026-02-01', reason: 6 },
    })
    const now = answer(about)
    assert.equal(judge({ ocsps: [old, now] }).kind, 'good')
    const final = answer({
      ...about,
      thisUpdate: '2026-02-20',
      nextUpdate: '2026-02-21',
      status: { at: '2026-02-01', reason: 4 },
    })
    assert.equal(judge({ ocsps: [final, now] }).kind, 'revoked')
  })

  it('are stale after nextUpdate, and from the future before thisUpdate', () => {
    assert.equal(judge({ ocsps: [answer(about)], controlTime: new Date('2026-03-09') }).kind, 'stale')
    assert.deepEqual(reasons(judge({ ocsps: [answer(about)], controlTime: new Date('2026-02-27') })), [
      'from-the-future',
    ])
    // newer than the moment that matters is what long-term validation wants
    const later = { controlTime: new Date('2026-02-27'), now: new Date('2026-03-01') }
    assert.equal(judge({ ocsps: [answer(about)], ...later }).kind, 'good')
    const timeless = answer({ ...about, nextUpdate: null })
    assert.equal(judge({ ocsps: [timeless], controlTime: new Date('2026-03-01T23:00:00Z') }).kind, 'good')
    assert.equal(judge({ ocsps: [timeless], controlTime: new Date('2026-03-02T00:00:01Z') }).kind, 'stale')
  })

  it('are refused for another certificate, another nonce, a wrong certificate hash, unknown critical extensions', () => {
    const hash = (bytes: Buffer): Buffer =>
      extension(
        '1.3.36.8.3.13',
        sequence(sequence(oid('2.16.840.1.101.3.4.2.1')), octetString(createHash('sha256').update(bytes).digest())),
      )
    const nonce = Buffer.alloc(32, 7)
    const cases: [Buffer, string | null][] = [
      [answer({ ...about, serial: Buffer.from([9]) }), 'other-certificate'],
      [
        answer({ ...about, extensions: [extension('1.3.6.1.5.5.7.48.1.2', octetString(Buffer.alloc(32, 8)))] }),
        'nonce',
      ],
      [answer({ ...about, extensions: [extension('1.3.6.1.5.5.7.48.1.2', octetString(nonce))] }), null],
      [answer({ ...about, singleExtensions: [hash(Buffer.from('other'))] }), 'other-certificate'],
      [answer({ ...about, singleExtensions: [hash(leaf.certificate.der)] }), null],
      [
        answer({ ...about, singleExtensions: [criticalExtension('2.25.1', Buffer.from([5, 0]))] }),
        'unknown-critical-extension',
      ],
      [answer({ ...about, producedAt: '2026-02-20' }), 'times-contradict'],
      [Buffer.from('300100', 'hex'), 'damaged'],
      [sequence(encode(0x0a, Buffer.from([6]))), 'responder-failed'],
    ]
    for (const [response, expected] of cases) {
      const verdict = judge({ ocsps: [response], nonce })
      assert.deepEqual(reasons(verdict), expected === null ? [] : [expected])
      assert.equal(verdict.kind, expected === null ? 'good' : 'unavailable')
    }
  })

  it('say nothing good after expiry unless the responder remembers that far', () => {
    const expired = issue({ name: 'Expired', issuer: ca, until: '2026-02-01' })
    const late = { certificate: expired.certificate, issuer: ca, signer: ca }
    const ask = (ocsp: Buffer): RevocationVerdict => judge({ certificate: expired.certificate, ocsps: [ocsp] })
    assert.deepEqual(reasons(ask(answer(late))), ['issued-after-expiry'])
    const cutoff = (at: string): Buffer => extension('1.3.6.1.5.5.7.48.1.6', generalized(at))
    assert.equal(ask(answer({ ...late, singleExtensions: [cutoff('2016-01-01')] })).kind, 'good')
    assert.deepEqual(reasons(ask(answer({ ...late, singleExtensions: [cutoff('2026-02-20')] }))), [
      'issued-after-expiry',
    ])
    assert.equal(ask(answer({ ...late, status: { at: '2026-01-15' } })).kind, 'revoked')
  })
})

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
