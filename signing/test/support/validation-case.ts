/**
 * Facts as readers make them, without a document: a small trust service, a signature, time-stamps, revocation data.
 *
 * What a test says nothing about is as it should be.
 */
import { createHash } from 'node:crypto'
import { oid, sequence } from '../../asn1/der.ts'
import { objectId } from '../../validation/object-id.ts'
import { judge } from '../../validation/judge.ts'
import { STRICT } from '../../validation/policy.ts'
import type { ValidationPolicy } from '../../validation/policy.ts'
import type { DocumentFacts, SignatureFacts, TimestampFacts } from '../../validation/facts.ts'
import type { Qualifier } from '../../validation/qualifier.ts'
import type { ValidationReport } from '../../validation/report.ts'
import { criticalExtension, issue, issueList } from '../trust-pki.ts'
import type { Holder } from '../trust-pki.ts'
import type { TrustAnchor } from '../../trust/trust-anchor.ts'

export const ROOT = issue({ name: 'Root', ca: true, from: '2015-01-01', until: '2045-01-01' })
export const CA = issue({ name: 'CA', issuer: ROOT, ca: true, from: '2016-01-01', until: '2040-01-01' })
export const ANCHORS: readonly TrustAnchor[] = [{ certificate: ROOT.certificate, source: 'test' }]

export const signer = (from = '2023-01-01', until = '2028-01-01'): Holder =>
  issue({ name: 'Siegel', issuer: CA, from, until })

export const authority = (name: string, from: string, until: string): Holder =>
  issue({
    name,
    issuer: ROOT,
    from,
    until,
    extensions: [criticalExtension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.8')))],
  })

export interface Wish {
  signer: Holder
  signature?: Partial<SignatureFacts>
  timestamps?: TimestampFacts[]
  /** CRLs */
  lists?: Buffer[]
  ocsps?: Buffer[]
  now?: string
  policy?: ValidationPolicy
  anchors?: readonly TrustAnchor[]
  qualifier?: Qualifier
}

function factsOf({ signer: { certificate }, signature, timestamps = [], lists = [], ocsps = [] }: Wish): DocumentFacts {
  return {
    format: 'pdf',
    signatures: [{ ...SIGNATURE, certificate, timestampIds: timestamps.map(({ id }) => id), ...signature }],
    timestamps,
    evidence: { certificates: [CA.certificate.der], crls: lists, ocsps },
    findings: [],
  }
}

export function validate(wish: Wish): ValidationReport {
  return judge({
    facts: factsOf(wish),
    document: { sizeBytes: 1, sha256: '00' },
    anchors: wish.anchors ?? ANCHORS,
    evidence: { certificates: [], crls: [], ocsps: [] },
    policy: wish.policy ?? STRICT,
    now: new Date(wish.now ?? '2026-11-23'),
    qualifier: wish.qualifier ?? null,
    producer: 'test',
  })
}

/** Indication and sub-indication of the first signature. */
export function verdictOf(report: ValidationReport): string {
  const [first] = report.signatures
  return first?.subIndication ?? first?.indication ?? 'none'
}

export const VALUE_ID = objectId(Buffer.from('value'))

/** A time-stamp by `tsa`; covers the signature value and everything in `over`. */
export function timestamp(
  id: string,
  tsa: Holder,
  at: string,
  { kind = 'signature', over = [], ...more }: Partial<TimestampFacts> & { over?: (Buffer | string)[] } = {},
): TimestampFacts {
  const ids = over.map((item) => (typeof item === 'string' ? item : objectId(item)))
  return {
    id,
    kind,
    faults: [],
    info: {
      genTime: new Date(at),
      accuracy: null,
      imprint: { algorithm: '2.16.840.1.101.3.4.2.1', value: Buffer.alloc(32) },
      policy: '2.999',
      serial: '01',
      nonce: null,
      tsa: null,
      extensions: new Map(),
    },
    certificate: tsa.certificate,
    certificates: [tsa.certificate],
    algorithms: [{ place: 'signature', use: STRONG }],
    tokenId: tokenIdOf(id),
    covers: new Set(kind === 'content' ? [] : [VALUE_ID, ...ids]),
    findings: [],
    ...more,
  }
}

export const tokenIdOf = (id: string): string => createHash('sha256').update(`token ${id}`).digest('hex')

/** Lists of both authorities, in force from `from` to `until`. */
export function lists(from: string, until: string, revoked: { holder: Holder; at: string }[] = []): Buffer[] {
  return [ROOT, CA].map((issuer) =>
    issueList({
      issuer,
      from,
      until,
      entries: revoked
        .filter(({ holder }) => holder.certificate.issuer.key === issuer.certificate.subject.key)
        .map(({ holder, at }) => ({ serial: holder.certificate.serial, at, reason: 1 })),
    }),
  )
}

export const STRONG = {
  signature: 'ecdsa',
  oid: '1.2.840.10045.4.3.2',
  digest: 'sha256',
  keyKind: 'ec',
  keyBits: 256,
  curve: 'prime256v1',
} as const

const SIGNATURE: SignatureFacts = {
  id: 'S1',
  form: 'PAdES',
  name: 'Siegel',
  countersigns: null,
  faults: [],
  certificate: null,
  claimed: { time: null, reason: null, location: null, commitments: [], policy: null },
  algorithms: [{ place: 'signature', use: STRONG }],
  valueId: VALUE_ID,
  timestampIds: [],
  profileFaults: [],
  carriesEvidence: true,
  scope: { kind: 'whole', names: [], revisionBytes: 1 },
  findings: [],
}
