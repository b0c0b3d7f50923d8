/** Verdicts from facts: time, revocation, proofs of existence (ETSI EN 319 102-1), without documents and networks. */
import assert from 'node:assert/strict'
import { derNull } from '../asn1/der.ts'
import { STRICT, TOLERANT, policyHash } from '../validation/policy.ts'
import { extension, issue } from './trust-pki.ts'
import {
  ANCHORS,
  CA,
  ROOT,
  STRONG,
  VALUE_ID,
  authority,
  lists,
  signer,
  timestamp,
  tokenIdOf,
  validate,
  verdictOf,
} from './support/validation-case.ts'
import type { Wish } from './support/validation-case.ts'

const tsa = authority('TSA', '2021-01-01', '2033-01-01')
const spring = lists('2026-03-10', '2026-03-17')

describe('the status of the certificate', () => {
  it('passes with data in force at the proven time', () => {
    const report = validate({ signer: signer(), timestamps: [timestamp('T1', tsa, '2026-03-11')], lists: spring })
    assert.equal(verdictOf(report), 'TOTAL-PASSED')
    assert.equal(report.headline, 'valid')
    assert.deepEqual(report.signatures[0]?.bestTime, { time: '2026-03-11T00:00:00.000Z', source: 'T1' })
    assert.equal(report.signatures[0].level, 'PAdES-BASELINE-LT')
  })

  it('cannot be concluded without revocation data', () => {
    const report = validate({ signer: signer() })
    assert.equal(verdictOf(report), 'CERTIFICATE_CHAIN_GENERAL_FAILURE')
    assert.equal(report.headline, 'undecided')
  })

  it('passes with a remark on data that are no longer in force and on no proven time', () => {
    const report = validate({ signer: signer(), lists: spring })
    assert.equal(verdictOf(report), 'TOTAL-PASSED')
    assert.equal(report.headline, 'valid-with-remarks')
    assert.deepEqual(
      report.signatures[0]?.findings.map(({ code }) => code),
      ['revocation-aged'],
    )
  })

  it('asks to try later where the policy wants data in force', () => {
    const policy = { ...STRICT, revocation: { ...STRICT.revocation, signatureAgeDays: 0 } }
    assert.equal(verdictOf(validate({ signer: signer(), lists: spring, policy })), 'TRY_LATER')
    const proven = validate({
      signer: signer(),
      lists: spring,
      policy,
      timestamps: [timestamp('T1', tsa, '2026-03-11')],
    })
    assert.equal(verdictOf(proven), 'TOTAL-PASSED')
  })

  it('is not asked of short-term certificates', () => {
    for (const id of ['2.5.29.56', '0.4.0.194121.2.1']) {
      const short = issue({ name: 'Kurz', issuer: CA, extensions: [extension(id, derNull())] })
      const [rootList] = spring
      assert.ok(rootList)
      assert.equal(verdictOf(validate({ signer: short, lists: [rootList] })), 'TOTAL-PASSED')
    }
  })

  it('is asked of a signer that marks itself as needing none like a responder', () => {
    const marked = issue({ name: 'Selbst', issuer: CA, extensions: [extension('1.3.6.1.5.5.7.48.1.5', derNull())] })
    const [rootList] = spring
    assert.ok(rootList)
    assert.equal(verdictOf(validate({ signer: marked, lists: [rootList] })), 'CERTIFICATE_CHAIN_GENERAL_FAILURE')
  })
})

describe('a revoked certificate', () => {
  const holder = signer()
  const revoked = lists('2026-03-10', '2026-12-31', [{ holder, at: '2026-02-01' }])

  it('does no harm to a signature that is proven to be older', () => {
    const report = validate({ signer: holder, lists: revoked, timestamps: [timestamp('T1', tsa, '2026-01-15')] })
    assert.equal(verdictOf(report), 'TOTAL-PASSED')
  })

  it('leaves a signature undecided that is not', () => {
    for (const timestamps of [[], [timestamp('T1', tsa, '2026-02-01')], [timestamp('T1', tsa, '2026-03-01')]])
      assert.equal(verdictOf(validate({ signer: holder, lists: revoked, timestamps })), 'REVOKED_NO_POE')
  })

  it('makes it fail when the content is proven to be younger', () => {
    const content = timestamp('T0', tsa, '2026-02-20', { kind: 'content' })
    const report = validate({
      signer: holder,
      lists: revoked,
      timestamps: [content, timestamp('T1', tsa, '2026-03-01')],
    })
    assert.equal(verdictOf(report), 'REVOKED')
    assert.equal(report.signatures[0]?.indication, 'TOTAL-FAILED')
    assert.equal(report.headline, 'invalid')
  })

  it('does not become a failure by a content time-stamp that proves nothing', () => {
    const faults = [{ code: 'imprint', detail: 'other data' }] as const
    const content = timestamp('T0', tsa, '2026-02-20', { kind: 'content', faults })
    assert.equal(verdictOf(validate({ signer: holder, lists: revoked, timestamps: [content] })), 'REVOKED_NO_POE')
  })

  it('of an authority says so', () => {
    const all = [...lists('2026-03-10', '2026-12-31', [{ holder: CA, at: '2026-02-01' }])]
    const report = validate({ signer: holder, lists: all, timestamps: [timestamp('T1', tsa, '2026-03-01')] })
    assert.equal(verdictOf(report), 'REVOKED_CA_NO_POE')
  })
})

describe('an expired certificate', () => {
  const holder = signer('2022-06-01', '2025-01-01')
  const then = lists('2024-03-01', '2024-04-01')

  it('leaves a signature undecided whose age is not proven', () => {
    assert.equal(verdictOf(validate({ signer: holder, lists: then })), 'OUT_OF_BOUNDS_NOT_REVOKED')
    const late = validate({ signer: holder, lists: then, timestamps: [timestamp('T1', tsa, '2025-03-01')] })
    assert.equal(verdictOf(late), 'OUT_OF_BOUNDS_NOT_REVOKED')
  })

  it('does no harm when it is', () => {
    const report = validate({ signer: holder, lists: then, timestamps: [timestamp('T1', tsa, '2024-03-02')] })
    assert.equal(verdictOf(report), 'TOTAL-PASSED')
  })

  it('makes it fail when the content is proven to be younger', () => {
    const content = timestamp('T0', tsa, '2025-02-01', { kind: 'content' })
    const report = validate({ signer: holder, lists: then, timestamps: [content, timestamp('T1', tsa, '2025-03-01')] })
    assert.equal(verdictOf(report), 'EXPIRED')
  })

  it('was not valid yet when the signature is proven to be older than it', () => {
    const report = validate({ signer: signer(), lists: spring, timestamps: [timestamp('T1', tsa, '2022-03-01')] })
    assert.equal(verdictOf(report), 'NOT_YET_VALID')
    assert.equal(report.signatures[0]?.indication, 'TOTAL-FAILED')
  })
})

describe('a chain of archive time-stamps', () => {
  const holder = signer('2022-06-01', '2025-01-01')
  const old = authority('TSA 1', '2021-01-01', '2026-01-01')
  const then = lists('2024-03-01', '2024-04-01')
  const first = timestamp('T1', old, '2024-03-02')
  const archive = timestamp('T2', old, '2024-03-03', {
    kind: 'document',
    over: [...then, tokenIdOf('T1'), CA.certificate.der, holder.certificate.der],
  })
  const renewal = timestamp('T3', tsa, '2025-10-01', {
    kind: 'document',
    over: [...then, tokenIdOf('T1'), tokenIdOf('T2'), CA.certificate.der, holder.certificate.der],
  })

  it('carries as long as its last authority is valid', () => {
    const report = validate({ signer: holder, lists: then, timestamps: [first, archive], now: '2025-06-01' })
    assert.equal(verdictOf(report), 'TOTAL-PASSED')
    assert.equal(report.signatures[0]?.level, 'PAdES-BASELINE-LTA')
    assert.equal(report.signatures[0].bestTime.source, 'T1')
  })

  it('lapses with it', () => {
    const report = validate({ signer: holder, lists: then, timestamps: [first, archive] })
    assert.equal(verdictOf(report), 'OUT_OF_BOUNDS_NOT_REVOKED')
    assert.deepEqual(
      report.timestamps.map(({ subIndication }) => subIndication),
      ['OUT_OF_BOUNDS_NOT_REVOKED', 'OUT_OF_BOUNDS_NOT_REVOKED'],
    )
  })

  it('goes on when it was renewed in time', () => {
    const report = validate({ signer: holder, lists: then, timestamps: [first, archive, renewal] })
    assert.equal(verdictOf(report), 'TOTAL-PASSED')
    assert.deepEqual(report.signatures[0]?.bestTime, { time: '2024-03-02T00:00:00.000Z', source: 'T1' })
  })

  it('is not healed by a renewal that came too late', () => {
    const late = timestamp('T3', tsa, '2026-02-01', { kind: 'document', over: [tokenIdOf('T1'), tokenIdOf('T2')] })
    assert.equal(
      verdictOf(validate({ signer: holder, lists: then, timestamps: [first, archive, late] })),
      'OUT_OF_BOUNDS_NOT_REVOKED',
    )
  })

  it('does not count a renewal for what it does not cover', () => {
    const beside = timestamp('T3', tsa, '2025-10-01', { kind: 'document', over: [] })
    const report = validate({ signer: holder, lists: then, timestamps: [first, archive, beside] })
    assert.equal(verdictOf(report), 'OUT_OF_BOUNDS_NOT_REVOKED')
    assert.equal(report.signatures[0]?.bestTime.source, 'T3')
  })
})

describe('a time-stamp that proves nothing', () => {
  const holder = signer()
  const [rootList] = spring

  it('makes no signature fail', () => {
    const wrong = timestamp('T1', tsa, '2026-03-11', { faults: [{ code: 'imprint', detail: 'other data' }] })
    const report = validate({ signer: holder, lists: spring, timestamps: [wrong] })
    assert.equal(verdictOf(report), 'TOTAL-PASSED')
    assert.equal(report.timestamps[0]?.subIndication, 'HASH_FAILURE')
    assert.equal(report.signatures[0]?.bestTime.source, 'now')
    assert.equal(report.signatures[0].level, 'PAdES-BASELINE-B')
  })

  it('is one whose authority was revoked before', () => {
    const bad = authority('TSA böse', '2021-01-01', '2033-01-01')
    const report = validate({
      signer: holder,
      lists: lists('2026-03-10', '2026-12-31', [{ holder: bad, at: '2024-02-01' }]),
      timestamps: [timestamp('T1', bad, '2026-03-11')],
    })
    assert.equal(report.timestamps[0]?.subIndication, 'REVOKED_NO_POE')
    assert.equal(report.signatures[0]?.bestTime.source, 'now')
  })

  it('is one of an authority without the right usage, or after its end', () => {
    const none = issue({ name: 'TSA ohne', issuer: ROOT })
    const ended = authority('TSA alt', '2020-01-01', '2026-01-01')
    for (const [holderOfTsa, sub] of [
      [none, 'CHAIN_CONSTRAINTS_FAILURE'],
      [ended, 'CHAIN_CONSTRAINTS_FAILURE'],
    ] as const) {
      const report = validate({
        signer: holder,
        lists: spring,
        timestamps: [timestamp('T1', holderOfTsa, '2026-03-11')],
      })
      assert.equal(report.timestamps[0]?.subIndication, sub)
      assert.equal(report.signatures[0]?.bestTime.source, 'now')
    }
  })

  it('is one whose anchor is trusted for other purposes', () => {
    assert.ok(rootList)
    const anchors = [{ certificate: ROOT.certificate, source: 'test', purposes: ['signing'] as const }]
    const report = validate({
      signer: holder,
      lists: spring,
      anchors,
      timestamps: [timestamp('T1', tsa, '2026-03-11')],
    })
    assert.equal(report.timestamps[0]?.subIndication, 'NO_CERTIFICATE_CHAIN_FOUND')
    assert.equal(verdictOf(report), 'TOTAL-PASSED')
  })
})

describe('time-stamps that contradict each other', () => {
  it('leave the signature undecided', () => {
    const content = timestamp('T0', tsa, '2026-03-12', { kind: 'content' })
    const inner = timestamp('T1', tsa, '2026-03-11')
    const report = validate({ signer: signer(), lists: spring, timestamps: [content, inner] })
    assert.equal(verdictOf(report), 'TIMESTAMP_ORDER_FAILURE')
    const archive = timestamp('T2', tsa, '2026-03-10T12:00:00Z', { kind: 'document', over: [tokenIdOf('T1')] })
    const crossed = validate({ signer: signer(), lists: spring, timestamps: [inner, archive] })
    assert.equal(verdictOf(crossed), 'TIMESTAMP_ORDER_FAILURE')
  })

  it('may differ by a minute', () => {
    const content = timestamp('T0', tsa, '2026-03-11T00:00:30Z', { kind: 'content' })
    const report = validate({
      signer: signer(),
      lists: spring,
      timestamps: [content, timestamp('T1', tsa, '2026-03-11')],
    })
    assert.equal(verdictOf(report), 'TOTAL-PASSED')
  })
})

describe('algorithms', () => {
  const weak = { ...STRONG, digest: 'sha1' } as const
  const algorithms = [{ place: 'signature', use: weak }]

  it('count by the time that is proven', () => {
    const wish: Wish = { signer: signer('2010-01-01', '2028-01-01'), lists: spring, signature: { algorithms } }
    assert.equal(verdictOf(validate(wish)), 'CRYPTO_CONSTRAINTS_FAILURE_NO_POE')
    const timestamps = [timestamp('T1', authority('TSA', '2010-01-01', '2033-01-01'), '2012-07-01')]
    assert.equal(verdictOf(validate({ ...wish, timestamps })), 'TOTAL-PASSED')
  })

  it('are judged by the view of the policy, and shown by both', () => {
    const rsa = { ...STRONG, signature: 'rsa-pkcs1', keyKind: 'rsa', keyBits: 2048, curve: null } as const
    const wish: Wish = {
      signer: signer(),
      lists: spring,
      signature: { algorithms: [{ place: 'signature', use: rsa }] },
    }
    const european = validate(wish)
    assert.equal(verdictOf(european), 'TOTAL-PASSED')
    assert.deepEqual(european.signatures[0]?.algorithms, [
      {
        place: 'signature',
        name: 'rsa-pkcs1 sha256 2048',
        until: { ts119312: '2028-12-31T23:59:59.000Z', bnetza: '2025-12-31T23:59:59.000Z' },
      },
    ])
    const german = validate({ ...wish, policy: { ...STRICT, algorithms: 'bnetza' } })
    assert.equal(verdictOf(german), 'CRYPTO_CONSTRAINTS_FAILURE_NO_POE')
    assert.equal(german.policy.algorithms, 'bnetza')
  })
})

describe('faults of the signature', () => {
  const faults = (...codes: ('format' | 'digest' | 'constraints' | 'forbidden-change' | 'policy-missing')[]) =>
    codes.map((code) => ({ code, detail: 'told by the reader' }))

  it('are all listed, and the gravest decides', () => {
    const report = validate({ signer: signer(), signature: { faults: faults('digest', 'constraints') } })
    assert.equal(verdictOf(report), 'HASH_FAILURE')
    const listed = report.signatures[0]?.constraints.flatMap(({ subIndication }) => subIndication ?? [])
    assert.deepEqual(
      new Set(listed),
      new Set(['HASH_FAILURE', 'CERTIFICATE_CHAIN_GENERAL_FAILURE', 'SIG_CONSTRAINTS_FAILURE']),
    )
  })

  it('come before everything that could heal', () => {
    assert.equal(verdictOf(validate({ signer: signer(), signature: { faults: faults('format') } })), 'FORMAT_FAILURE')
    const epes = validate({ signer: signer(), signature: { faults: faults('policy-missing') } })
    assert.equal(verdictOf(epes), 'SIGNATURE_POLICY_NOT_AVAILABLE')
    assert.equal(
      verdictOf(validate({ signer: signer(), signature: { certificate: null } })),
      'NO_SIGNING_CERTIFICATE_FOUND',
    )
  })

  it('are remarks where the policy tolerates changes', () => {
    const wish: Wish = { signer: signer(), lists: spring, signature: { faults: faults('forbidden-change') } }
    assert.equal(verdictOf(validate(wish)), 'FORMAT_FAILURE')
    const tolerated = validate({ ...wish, policy: TOLERANT })
    assert.equal(verdictOf(tolerated), 'TOTAL-PASSED')
    assert.equal(tolerated.headline, 'valid-with-remarks')
    assert.notEqual(policyHash(STRICT), policyHash(TOLERANT))
  })
})

describe('who signed', () => {
  it('is nobody when the path leads to no anchor', () => {
    const twinRoot = issue({ name: 'Root', ca: true })
    const twin = issue({ name: 'CA', issuer: twinRoot, ca: true })
    const report = validate({ signer: issue({ name: 'Siegel', issuer: twin }), lists: spring })
    assert.equal(verdictOf(report), 'NO_CERTIFICATE_CHAIN_FOUND')
  })

  it('is no authority and no web server', () => {
    const subordinate = issue({ name: 'Unter', issuer: CA, ca: true })
    assert.equal(verdictOf(validate({ signer: subordinate, lists: spring })), 'CHAIN_CONSTRAINTS_FAILURE')
  })

  it('is trusted by himself when he is the anchor', () => {
    const own = signer('2019-01-01', '2020-01-01')
    const report = validate({ signer: own, anchors: [{ certificate: own.certificate, source: 'operator' }] })
    assert.equal(verdictOf(report), 'TOTAL-PASSED')
    assert.equal(report.signatures[0]?.anchorSource, 'operator')
  })

  it('is qualified by what the lists say, provisionally while the verdict is open', () => {
    const qualification = { kind: 'QESeal', provisional: false, proof: null, remarks: [] } as const
    const qualifier = {
      qualify: () => ({ ...qualification, remarks: [] }),
      isQualifiedTimestamp: () => true,
      lists: [],
    }
    const timestamps = [timestamp('T1', tsa, '2026-03-11')]
    const good = validate({ signer: signer(), lists: spring, timestamps, qualifier })
    assert.deepEqual(good.signatures[0]?.qualification, qualification)
    assert.equal(good.timestamps[0]?.qualified, true)
    const open = validate({ signer: signer(), qualifier })
    assert.deepEqual(open.signatures[0]?.qualification, { ...qualification, provisional: true })
    const none = validate({ signer: signer(), qualifier, signature: { faults: [{ code: 'value', detail: '' }] } })
    assert.equal(none.signatures[0]?.qualification.kind, 'none')
  })
})

describe('the report', () => {
  it('is the same for the same inputs, and survives JSON', () => {
    const wish: Wish = { signer: signer(), lists: spring, timestamps: [timestamp('T1', tsa, '2026-03-11')] }
    const [one, two] = [validate(wish), validate(wish)]
    assert.deepEqual(one, two)
    assert.deepEqual(JSON.parse(JSON.stringify(one)), one)
  })

  it('says nothing better than its findings', () => {
    const findings = [{ severity: 'unclean', code: 'uncovered-bytes', detail: '' }] as const
    const wish: Wish = {
      signer: signer(),
      lists: spring,
      timestamps: [timestamp('T1', tsa, '2026-03-11')],
      signature: { findings },
    }
    assert.equal(validate(wish).headline, 'undecided')
    assert.equal(verdictOf(validate(wish)), 'TOTAL-PASSED')
  })

  it('names every certificate that it speaks of', () => {
    const report = validate({ signer: signer(), lists: spring, timestamps: [timestamp('T1', tsa, '2026-03-11')] })
    const known = new Set(report.certificates.map(({ sha256 }) => sha256))
    for (const { path } of [...report.signatures, ...report.timestamps]) for (const id of path) assert.ok(known.has(id))
    assert.equal(report.certificates[0]?.revocation?.status, 'stale')
    assert.equal(ANCHORS.length, 1)
    assert.equal(VALUE_ID.length, 64)
  })
})
