/**
 * Trusted lists: reading one of the size of Germany's, verifying it, making anchors of it, and one answer.
 *
 * The real list of 2015 (2 MB, 413 services) where the common test data are; else one of the same shape.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkList } from '../trust/lists/check-list.ts'
import { parseTrustedList } from '../trust/lists/read-list.ts'
import { createTrustedLists } from '../trust/lists/trusted-lists.ts'
import { sharedData } from '../test/shared-data.ts'
import { keyUsage, listXml, qualification, signedList } from '../test/support/test-lists.ts'
import { issue } from '../test/trust-pki.ts'

const agency = issue({ name: 'Agency' })
const authority = issue({ name: 'CA', ca: true })
const signer = issue({ name: 'Signer', issuer: authority }).certificate
const real = join(sharedData, 'tl', 'real', 'de-tl.xml')
const now = new Date('2026-03-01T00:00:00Z')

const extensions = qualification(['QCWithSSCD'], keyUsage({ keyCertSign: true, digitalSignature: false }))
const services = Array.from({ length: 413 }, (_, index) => ({
  certificates: [index === 200 ? authority.certificate.der : issue({ name: `CA ${index}`, ca: true }).certificate.der],
  extensions: extensions.repeat(4),
}))
const made = signedList(listXml({ services }), agency)
const list = existsSync(real) ? readFileSync(real) : made

const reading = median(15, () => parseTrustedList(list))
const megabytes = (list.length / 2 ** 20).toFixed(1)
console.log(`trusted list, ${megabytes} MiB: read in ${reading.toFixed(0)} ms (goal 300 at most)`)

const expectation = { type: 'EUgeneric', territory: 'DE', signers: [agency.certificate], previous: null }
const verdict = checkList(made, { location: '', retrievedAt: null }, expectation)
if (verdict.kind === 'refused') throw new Error(verdict.detail)
const { list: accepted } = verdict
const checking = median(9, () => checkList(made, { location: '', retrievedAt: null }, expectation))
const preparing = median(9, () => createTrustedLists({ listOfLists: null, pivots: [], lists: [accepted] }))
const trusted = createTrustedLists({ listOfLists: null, pivots: [], lists: [accepted] })
const anchor = { certificate: authority.certificate, source: '' }
const question = { certificate: signer, path: [signer], anchor, form: 'signature' as const }
const answering = median(200, () =>
  trusted
    .qualifier({ at: now, maxOverdueDays: 14 })
    .qualify({ ...question, issuedAt: signer.notBefore, bestTime: now }),
)
console.log(
  `trusted list, ${(made.length / 2 ** 20).toFixed(1)} MiB, 413 services: verified in ${checking.toFixed(0)} ms, anchors in ${preparing.toFixed(1)} ms, one answer in ${answering.toFixed(2)} ms`,
)

function median(rounds: number, work: () => unknown): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now()
    work()
    return performance.now() - start
  })
  return times.sort((a, b) => a - b)[rounds >> 1] ?? 0
}
