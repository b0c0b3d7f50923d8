/**
 * Validations per second beside the limit: the public-key operations and digests of the same document with nothing around.
 *
 * A one-page PAdES B-LTA, offline, one after the other, in short turns. Rates are per second of processor time, so that
 * other work on the machine does not count. Caches of parsed certificates are warm, as they are in a server; the
 * document is read anew each time.
 */
import { createHash, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { bufferAccess } from '../random-access.ts'
import { parseCertificate } from '../trust/certificate.ts'
import { parsePem } from '../test/corpus.ts'
import { STRICT } from '../validation/policy.ts'
import { validateDocument } from '../validation/validate.ts'
import type { ValidationReport } from '../validation/report.ts'

const SECONDS = 0.3
const ROUNDS = 15
const FIXTURES = new URL('../test/fixtures/validation/', import.meta.url)
const document = readFileSync(new URL('pades-lta-renewed-A.pdf', FIXTURES))
const anchors = parsePem(readFileSync(new URL('bp-root.pem', FIXTURES), 'latin1')).map((der) => ({
  certificate: parseCertificate(der),
  source: 'bench',
}))
const now = new Date('2026-11-23')

// a fresh copy each time: what hangs on the bytes must not be remembered
const validate = (): Promise<ValidationReport> =>
  validateDocument(bufferAccess(Buffer.from(document)), { anchors, now, producer: 'bench', policy: STRICT })
const report = await validate()
const { values, digests } = operationsIn(report)

const rates = { whole: [] as number[], bare: [] as number[] }
for (let round = 0; round < ROUNDS; round++) {
  rates.whole.push(await rate(validate))
  rates.bare.push(await rate(bare))
}
const [whole, limit] = [median(rates.whole), median(rates.bare)]
console.log(
  `PAdES B-LTA, ${report.signatures.length} signature and ${report.timestamps.length} time-stamps, ${document.length} bytes, offline: ` +
    `${whole.toFixed(0)}/s (goal 20); its ${values} public-key operations and ${digests} digests alone ${limit.toFixed(0)}/s; ratio ${(whole / limit).toFixed(2)}`,
)
if (whole < 20) process.exitCode = 1

/** Values of signatures, tokens, certificates and revocation data; each byte range is hashed once. */
function operationsIn({ signatures, timestamps, certificates }: ValidationReport) {
  const statuses = new Set(certificates.flatMap(({ revocation }) => revocation?.sha256 ?? []))
  return {
    values: signatures.length + timestamps.length + certificates.length + statuses.size,
    digests: 2 + timestamps.length,
  }
}

/** The same number of operations with a key and a size of the document's own. */
function bare(): void {
  const [anchor] = anchors
  const key = anchor?.certificate.publicKey ?? null
  if (anchor === undefined || key === null) throw new Error('the anchor has no usable key')
  for (let at = 0; at < values; at++) verify('sha256', anchor.certificate.tbs, key, anchor.certificate.signature)
  for (let at = 0; at < digests; at++) createHash('sha256').update(document).digest()
}

async function rate(job: () => unknown): Promise<number> {
  const start = process.cpuUsage()
  for (let done = 1; ; done++) {
    await job()
    const { user, system } = process.cpuUsage(start)
    const seconds = (user + system) / 1e6
    if (seconds >= SECONDS) return done / seconds
  }
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0
}
