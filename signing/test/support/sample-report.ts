/** A report with a good signature, an undecided one and a time-stamp, as tests of report makers need it. */
import type {
  AlgorithmReport,
  CertificateReport,
  ConstraintReport,
  SignatureReport,
  TimestampReport,
  ValidationReport,
} from '../../validation/report.ts'

const HASH = { document: '1'.repeat(64), signer: 'a'.repeat(64), issuer: 'b'.repeat(64), tsa: 'c'.repeat(64) }

const certificate = (sha256: string, subject: string, issuer: string): CertificateReport => ({
  sha256,
  subject,
  issuer,
  serialNumber: '01',
  notBefore: '2025-01-01T00:00:00.000Z',
  notAfter: '2028-01-01T00:00:00.000Z',
  key: 'rsa 3072',
  claims: { qualified: true, device: true, type: 'eseal', countries: [] },
  restrictions: [],
  revocation: {
    status: 'good',
    source: 'ocsp',
    thisUpdate: '2026-01-15T10:00:00.000Z',
    producedAt: '2026-01-15T10:00:00.000Z',
    revokedAt: null,
    reason: null,
    sha256: 'd'.repeat(64),
  },
  der: Buffer.from(subject).toString('base64'),
})

const passed: ConstraintReport = {
  block: 'crypto',
  name: 'signature-value',
  result: 'passed',
  subIndication: null,
  detail: '',
  subject: null,
}

const algorithm: AlgorithmReport = {
  place: 'signature',
  name: 'rsa-pkcs1 sha256 3072',
  until: { ts119312: '2029-01-01T00:00:00.000Z', bnetza: null },
}

const signature: SignatureReport = {
  id: 'S1',
  form: 'PAdES',
  name: 'Siegel1',
  countersigns: null,
  indication: 'TOTAL-PASSED',
  subIndication: null,
  level: 'PAdES-BASELINE-LT',
  levelGap: 'no archive time-stamp',
  qualification: {
    kind: 'QESeal',
    provisional: false,
    proof: {
      territory: 'DE',
      sequence: 77,
      listSha256: 'e'.repeat(64),
      provider: 'Vertrauensdienst',
      service: 'Qualifizierte Siegel',
      status: 'granted',
    },
    remarks: [],
  },
  certificate: HASH.signer,
  path: [HASH.signer, HASH.issuer],
  anchorSource: 'DE 77',
  bestTime: { time: '2026-01-15T10:30:00.000Z', source: 'T1' },
  claimedTime: '2026-01-15T10:29:59.000Z',
  reason: 'Bescheid <erlassen> & gesiegelt',
  location: 'Musterstadt',
  constraints: [passed],
  algorithms: [algorithm],
  timestampIds: ['T1'],
  scope: { kind: 'whole', names: [], revisionBytes: 12345 },
  findings: [],
}

const timestamp: TimestampReport = {
  id: 'T1',
  kind: 'signature',
  indication: 'TOTAL-PASSED',
  subIndication: null,
  time: '2026-01-15T10:30:00.000Z',
  certificate: HASH.tsa,
  path: [HASH.tsa, HASH.issuer],
  qualified: true,
  constraints: [passed],
  findings: [],
}

export const SAMPLE_REPORT: ValidationReport = {
  version: 1,
  producer: 'amtsbote 0.0.0',
  validationTime: '2026-11-27T12:00:00.000Z',
  policy: { id: 'strict', algorithms: 'ts119312', sha256: 'f'.repeat(64) },
  document: { format: 'pdf', sizeBytes: 12345, sha256: HASH.document },
  headline: 'undecided',
  signatures: [
    signature,
    {
      ...signature,
      id: 'S2',
      name: 'Siegel2',
      indication: 'INDETERMINATE',
      subIndication: 'REVOKED_NO_POE',
      bestTime: { time: '2026-11-27T12:00:00.000Z', source: 'now' },
      qualification: { kind: 'AdESeal-QC', provisional: true, proof: null, remarks: [] },
      constraints: [
        passed,
        {
          block: 'revocation',
          name: 'not-revoked',
          result: 'failed',
          subIndication: 'REVOKED_NO_POE',
          detail: 'revoked since 2026-02-01T00:00:00Z',
          subject: HASH.signer,
        },
      ],
      findings: [{ severity: 'warning', code: 'annotations-after-signing', detail: '1 annotation' }],
    },
  ],
  timestamps: [timestamp],
  certificates: [
    certificate(HASH.signer, 'CN=Stadt Musterstadt Siegel,O=Stadt Musterstadt,C=DE', 'CN=QCA,O=Vertrauensdienst,C=DE'),
    certificate(HASH.issuer, 'CN=QCA,O=Vertrauensdienst,C=DE', 'CN=QCA,O=Vertrauensdienst,C=DE'),
    certificate(HASH.tsa, 'CN=TSU 1,O=Vertrauensdienst,C=DE', 'CN=QCA,O=Vertrauensdienst,C=DE'),
  ],
  findings: [{ severity: 'unclean', code: 'uncovered-bytes', detail: '17 bytes' }],
  lists: [
    {
      territory: 'DE',
      sequence: 77,
      issuedAt: '2026-10-01T00:00:00.000Z',
      nextUpdate: '2027-03-01T00:00:00.000Z',
      sha256: 'e'.repeat(64),
      retrievedAt: null,
      state: 'current',
    },
  ],
}
