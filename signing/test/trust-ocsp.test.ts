import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { encode, octetString, oid, sequence } from '../asn1/der.ts'
import { judgeRevocation } from '../trust/revocation/judgement.ts'
import type { RevocationQuestion } from '../trust/revocation/judgement.ts'
import type { RevocationVerdict } from '../trust/revocation/verdict.ts'
import { answer, criticalExtension, extendedKeyUsage, extension, generalized, issue, issueList } from './trust-pki.ts'

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
