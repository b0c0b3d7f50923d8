/** Documents of the common corpus under trusted lists in ten states: the qualification that each of the forty gets. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPdfFacts } from '../pdf/facts.ts'
import { bufferAccess } from '../random-access.ts'
import { parseCertificate } from '../trust/certificate.ts'
import { checkList } from '../trust/lists/check-list.ts'
import { createTrustedLists } from '../trust/lists/trusted-lists.ts'
import { judge } from '../validation/judge.ts'
import { STRICT } from '../validation/policy.ts'
import type { ValidationReport } from '../validation/report.ts'
import { sharedData } from './shared-data.ts'
import { keyUsage, qualification, signedList } from './support/test-lists.ts'
import { issue } from './trust-pki.ts'

const FILES = ['pades-b-lt-A', 'pades-noqscd-A', 'pades-esign-A', 'pades-qccclegislation-A']
const NOW = new Date('2026-11-22T00:00:00Z')
const ORIGIN = { location: 'https://tl.example', retrievedAt: NOW }

const read = (...parts: string[]): Buffer => readFileSync(join(sharedData, ...parts))

/** What the document gets when this is the list that came. */
async function report(bytes: Buffer, signer: Buffer, file: string): Promise<ValidationReport> {
  const signers = [parseCertificate(signer)]
  const verdict = checkList(bytes, ORIGIN, { type: 'EUgeneric', territory: 'DE', signers, previous: null })
  const lists = verdict.kind === 'accepted' ? [verdict.list] : []
  const trusted = createTrustedLists({ listOfLists: null, pivots: [], lists })
  return judge({
    facts: await readPdfFacts(bufferAccess(read('files', `${file}.pdf`))),
    document: { sizeBytes: 0, sha256: '' },
    anchors: trusted.anchors,
    evidence: { certificates: [], crls: [], ocsps: [] },
    policy: STRICT,
    now: NOW,
    qualifier: trusted.qualifier({ at: NOW, maxOverdueDays: 14 }),
    producer: 'test',
  })
}

const nameOf = (kind: string): string => kind.toUpperCase().replace('-', '_')

describe('the corpus under trusted lists', () => {
  if (!existsSync(join(sharedData, 'tl', 'manifest.json'))) {
    console.log('    common test data are not beside the repository: the matrix of trusted lists is not checked')
    return
  }
  interface Synthetic {
    tl: string
    results: { file: string; indication: string; qualificationAccept: string[] }[]
  }
  const { synthetic } = JSON.parse(read('tl', 'manifest.json').toString()) as { synthetic: Synthetic[] }
  const pem = read('tl', 'lotl-signer.pem').toString()
  const publisher = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')

  for (const { tl, results } of synthetic)
    it(`answers as accepted: ${tl}`, async () => {
      for (const { file, indication, qualificationAccept } of results) {
        const { signatures, timestamps, lists } = await report(read('tl', tl), publisher, file.slice(6, -4))
        const [signature] = signatures
        assert.ok(signature)
        if (tl.includes('broken')) {
          assert.equal(signature.subIndication, 'NO_CERTIFICATE_CHAIN_FOUND')
          assert.deepEqual([signature.qualification.proof, lists], [null, []])
          continue
        }
        const { indication: ours, subIndication, qualification } = signature
        assert.equal(subIndication === null ? ours : `${ours}/${subIndication}`, indication, file)
        assert.equal(timestamps[0]?.qualified, true)
        if (qualificationAccept.includes('NA')) assert.equal(qualification.proof, null)
        else assert.ok(qualificationAccept.includes(nameOf(qualification.kind)), `${file}: ${qualification.kind}`)
      }
    })

  /** a list of the corpus without its signature, to be changed and signed again */
  const unsigned = (name: string): string =>
    read('tl', name)
      .toString()
      .replace(/<ds:Signature[\s\S]*<\/ds:Signature>/, '')
      .replace(/xmlns:ecc=("[^"]+")/, '$& xmlns:q=$1')
  const granted = unsigned('tl-granted-eseal-esig.xml')
  const extended = (extension: string): string => granted.replace('</ServiceInformationExtensions>', `${extension}$&`)
  const sealing = keyUsage({ digitalSignature: true })
  const forSeals =
    /<Extension Critical="true"><AdditionalServiceInformation><URI xml:lang="en">[^<]*ForeSeals<.*?<\/Extension>/
  const states: readonly (readonly [state: string, xml: string, kinds: readonly string[], remark: RegExp])[] = [
    [
      'granted for signatures only',
      granted.replace(forSeals, ''),
      ['ADESEAL', 'ADESEAL', 'QESIG', 'ADESEAL'],
      /^(conflict: the service is not listed for seals|qualified after the law of CH|$)/,
    ],
    [
      'withdrawn after sealing',
      unsigned('tl-withdrawn-2026-02.xml').replace('2026-02-01', '2026-06-01'),
      ['QESEAL', 'ADESEAL_QC', 'QESIG', 'ADESEAL'],
      /^(qualified after the law of CH|$)/,
    ],
    [
      'without a device for keys that make digital signatures',
      extended(qualification(['QCNoQSCD'], sealing)),
      ['ADESEAL_QC', 'ADESEAL_QC', 'QESIG', 'ADESEAL'],
      /^(qualified after the law of CH|$)/,
    ],
    [
      'with managed devices for seals',
      extended(qualification(['QCQSCDManagedOnBehalf', 'QCForESeal'], sealing)),
      ['QESEAL', 'QESEAL', 'QESIG', 'ADESEAL'],
      /^(qualified after the law of CH|$)/,
    ],
    [
      'a week overdue',
      granted.replace('2027-05-01T00:00:00Z', '2026-11-15T00:00:00Z'),
      ['QESEAL', 'ADESEAL_QC', 'QESIG', 'ADESEAL'],
      /^the trusted list of DE is overdue/,
    ],
  ]
  for (const [state, xml, kinds, remark] of states)
    it(`answers for a list that is ${state}`, async () => {
      assert.notEqual(xml, granted)
      const agency = issue({ name: 'Agency' })
      const bytes = signedList(xml, agency)
      for (const [index, file] of FILES.entries()) {
        const { signatures, lists } = await report(bytes, agency.certificate.der, file)
        const [signature] = signatures
        assert.equal(signature?.subIndication, null, file)
        assert.equal(nameOf(signature.qualification.kind), kinds[index], file)
        assert.match(signature.qualification.remarks[0] ?? '', remark)
        assert.equal(lists[0]?.state, state.includes('overdue') ? 'overdue' : 'current')
      }
    })
})
