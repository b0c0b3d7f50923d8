/** Answers of time-stamping authorities, good and bad ones. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { parseTimestampRequest } from '../timestamp/request.ts'
import { checkResponse } from '../timestamp/response.ts'
import { parseCertificate } from '../trust/certificate.ts'
import { buildPaths, validatePath } from '../trust/path.ts'

const TOKENS = new URL('../../../shared/data/signatures/tokens/', import.meta.url)

interface Case {
  kind: string
  file: string
  request?: string
  expect?: string
  reason?: string
}

describe('answers of time-stamping authorities', () => {
  if (!existsSync(TOKENS)) {
    console.log('  answers of time-stamping authorities: not run, the shared data are not there')
    return
  }
  const read = (name: string): Buffer => readFileSync(new URL(name, TOKENS))
  const { cases } = JSON.parse(read('manifest.json').toString()) as { cases: Case[] }
  const root = parseCertificate(new X509Certificate(read('certs/root.pem')).raw)
  const anchors = [{ certificate: root, source: 'test' }]

  for (const { kind, file, request, expect, reason } of cases) {
    if (kind !== 'tsp-response' || request === undefined) continue
    it(`${expect === 'accept' ? 'accepts' : 'rejects'} ${file}: ${reason ?? 'all in order'}`, async () => {
      const verdict = await checkResponse(parseTimestampRequest(read(request)), read(file), {
        now: null,
        trusts: (certificate, time, pool) =>
          buildPaths(certificate, pool, anchors).some((path) => validatePath(path, { time }).kind === 'valid'),
      })
      assert.equal(
        verdict.kind,
        expect === 'accept' ? 'accepted' : 'rejected',
        JSON.stringify(verdict, ['kind', 'reason']),
      )
      if (verdict.kind === 'rejected' && reason !== undefined) assert.match(verdict.reason, EXPECTED[reason] ?? /./)
    })
  }
})

/** The reason must be the defect that was built in, not something else that happens to be wrong. */
const EXPECTED: Record<string, RegExp> = {
  'nonce differs': /^nonce$/,
  'messageImprint differs': /^imprint$/,
  'TSA answered with SHA-1 imprint': /^imprint$/,
  'nonce requested but absent': /^nonce$/,
  'TSA certificate lacks critical EKU timeStamping': /^tsa-certificate$/,
  'PKIStatus rejection': /^not-granted$/,
  'signature corrupted': /^integrity$/,
}
