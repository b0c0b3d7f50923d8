/**
 * NIST PKITS: the public test set of path validation. Every case with its expected answer; the algorithm policy is off,
 * because the set is made with SHA-1 and short keys on purpose.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCertificate } from '../trust/certificate.ts'
import type { Certificate } from '../trust/certificate.ts'
import { buildPaths, validatePath } from '../trust/path.ts'
import type { Path, PathConditions, TrustAnchor } from '../trust/path.ts'
import { judgeRevocation } from '../trust/revocation/judgement.ts'
import { sharedData } from './shared-data.ts'

interface Case {
  id: string
  name: string
  certificate: string
  intermediates: string[]
  crls: string[]
  revocationChecked: boolean
  params: {
    user_initial_policy_set?: string[]
    initial_explicit_policy?: boolean
    initial_policy_mapping_inhibit?: boolean
    initial_any_policy_inhibit?: boolean
  } | null
  expected: 'valid' | 'invalid'
  errorHint?: string
}

const folder = join(sharedData, 'pkits')
const manifestFile = join(folder, 'manifest.json')

if (!existsSync(manifestFile)) {
  console.info('PKITS: the data is not here, its cases are not run')
} else {
  describe('NIST PKITS', () => {
    const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as {
      anchor: string
      validationTime: string
      cases: Case[]
    }
    const read = (file: string): Buffer => readFileSync(join(folder, file))
    const anchor: TrustAnchor = { certificate: parseCertificate(read(manifest.anchor)), source: 'PKITS' }
    for (const test of manifest.cases) {
      it(`${test.id} ${test.name}: ${test.expected}`, () => {
        const time = new Date(manifest.validationTime)
        const answer = judge(test, read, { anchor, time })
        assert.equal(answer.ok ? 'valid' : 'invalid', test.expected, `${answer.why}; hint: ${test.errorHint ?? 'none'}`)
      })
    }
  })
}

interface Frame {
  anchor: TrustAnchor
  time: Date
}

function judge(test: Case, read: (file: string) => Buffer, frame: Frame): { ok: boolean; why: string } {
  const signer = parseCertificate(read(test.certificate))
  const pool = test.intermediates.map((file) => parseCertificate(read(file)))
  const crls = test.crls.map(read)
  const why: string[] = []
  for (const path of buildPaths(signer, pool, [frame.anchor])) {
    const verdict = validatePath(path, conditions(test, frame.time))
    why.push(...verdict.faults.map(({ reason, index }) => `${reason}@${index}`))
    const status = test.revocationChecked ? statusOf(path, pool, crls, frame) : ''
    if (verdict.kind === 'valid' && status === '') return { ok: true, why: 'valid' }
    why.push(status)
  }
  return { ok: false, why: why.join(' ') || 'no path' }
}

function conditions({ params }: Case, time: Date): PathConditions {
  return {
    time,
    ...(params?.user_initial_policy_set === undefined
      ? {}
      : { initialPolicies: new Set(params.user_initial_policy_set) }),
    requireExplicitPolicy: params?.initial_explicit_policy ?? false,
    inhibitPolicyMapping: params?.initial_policy_mapping_inhibit ?? false,
    inhibitAnyPolicy: params?.initial_any_policy_inhibit ?? false,
  }
}

/** Empty when nothing on the path is revoked and every status is known. */
function statusOf(path: Path, pool: Certificate[], crls: Buffer[], { anchor, time }: Frame): string {
  const issuers = [...path.certificates.slice(1), anchor.certificate]
  for (const [index, certificate] of path.certificates.entries()) {
    const issuer = issuers[index] ?? anchor.certificate
    const evidence = { certificates: [], crls, ocsps: [] }
    const verdict = judgeRevocation({ certificate, issuer, pool, anchors: [anchor], evidence, controlTime: time })
    const refused = verdict.refused.map(({ reason }) => reason).join(',')
    if (verdict.kind !== 'good') return `certificate ${index} is ${verdict.kind} (${refused})`
  }
  return ''
}
