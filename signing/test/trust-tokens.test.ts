/** Recorded OCSP answers and CRLs, right and wrong, each with the answer that it must get. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCertificate } from '../trust/certificate.ts'
import type { Certificate } from '../trust/certificate.ts'
import { findEntry, parseRevocationList } from '../trust/revocation/crl.ts'
import { judgeRevocation } from '../trust/revocation/judgement.ts'
import type { RevocationVerdict } from '../trust/revocation/verdict.ts'
import { sharedData } from './shared-data.ts'

interface TokenCase {
  kind: 'ocsp-response' | 'crl'
  file: string
  certificate?: string
  issuer: string
  at: string
  expect: 'good' | 'valid' | 'revoked' | 'reject' | 'stale' | 'unavailable'
  revokedAt?: string
  revocationReason?: string
  revokedSerials?: string[]
  reason?: string
}

const folder = join(sharedData, 'tokens')
const manifestFile = join(folder, 'manifest.json')

if (!existsSync(manifestFile)) {
  console.info('OCSP and CRL cases: the data is not here, its cases are not run')
} else {
  describe('recorded OCSP answers and CRLs', () => {
    const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as { cases: TokenCase[] }
    const cases = manifest.cases.filter(({ kind }) => ['ocsp-response', 'crl'].includes(kind))
    for (const test of cases) {
      it(`${test.file}: ${test.expect}${test.reason === undefined ? '' : `, ${test.reason}`}`, () => {
        const verdict = judge(test)
        const accepted = { good: 'good', valid: 'good', reject: 'unavailable' } as const
        const expected = test.expect in accepted ? accepted[test.expect as keyof typeof accepted] : test.expect
        assert.equal(verdict.kind, expected)
        if (test.expect === 'reject') assert.equal(verdict.refused.length, 1)
        if (verdict.kind === 'revoked') {
          assert.deepEqual(verdict.time, new Date(test.revokedAt ?? NaN))
          assert.equal(verdict.reason, test.revocationReason)
        }
        for (const serial of test.revokedSerials ?? []) {
          const issuer = certificateOf(test.issuer)
          const bytes = Buffer.from(Number(serial).toString(16).padStart(4, '0'), 'hex')
          assert.notEqual(findEntry(parseRevocationList(read(test.file)), bytes, issuer.subject), null)
        }
      })
    }
  })
}

function judge(test: TokenCase): RevocationVerdict {
  const root = certificateOf('certs/root.pem')
  const token = read(test.file)
  return judgeRevocation({
    certificate: certificateOf(test.certificate ?? 'certs/seal.pem'),
    issuer: certificateOf(test.issuer),
    pool: [],
    anchors: [{ certificate: root, source: 'test root' }],
    evidence: { certificates: [], crls: test.kind === 'crl' ? [token] : [], ocsps: test.kind === 'crl' ? [] : [token] },
    controlTime: new Date(test.at),
  })
}

const read = (file: string): Buffer => readFileSync(join(folder, file))

const certificateOf = (file: string): Certificate => parseCertificate(Buffer.from(new X509Certificate(read(file)).raw))
