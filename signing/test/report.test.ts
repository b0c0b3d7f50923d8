/** What a validation says: to a person, to a program, to the file. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { detail, detailText } from '../report/details.ts'
import { etsiReport } from '../report/etsi.ts'
import { reportPdf } from '../report/pdf.ts'
import { kindInWords, reportTexts, summarize } from '../report/summary.ts'
import { summaryText } from '../report/text.ts'
import type { Finding } from '../validation/finding.ts'
import { childElements, parseXml } from '../xml/index.ts'
import { programsFor, run } from './programs.ts'
import { SAMPLE_REPORT } from './support/sample-report.ts'

describe('the simple report', () => {
  it('says the verdict, the reason with its sub-indication, and what can be done', () => {
    const text = summaryText(summarize(SAMPLE_REPORT, 'de'))
    assert.match(text, /^NICHT ABSCHLIESSEND GEPRÜFT/)
    assert.match(text, /nicht bewiesen, dass vorher signiert wurde\. \(REVOKED_NO_POE\)/)
    assert.match(text, /Was Sie tun können/)
    assert.match(text, /Siegel S1: Siegel1/)
  })

  it('calls a time proven only where a time-stamp proves it', () => {
    const [proven, unproven] = summarize(SAMPLE_REPORT, 'en').blocks
    const timeOf = (lines: { label: string; text: string }[]) =>
      lines.find(({ label }) => label === 'Proven time')?.text
    assert.match(timeOf(proven?.lines ?? []) ?? '', /time-stamp T1/)
    assert.match(timeOf(unproven?.lines ?? []) ?? '', /time of this validation/)
  })

  it('says that a qualification is provisional while the verdict is open', () => {
    const text = summaryText(summarize(SAMPLE_REPORT, 'en'))
    assert.match(text, /undetermined; would be: advanced seal with a qualified certificate/)
    assert.equal(kindInWords({ kind: 'undetermined', provisional: true }, reportTexts('en')), 'cannot be determined')
  })

  it('says which trusted lists are not up to date', () => {
    const [list] = SAMPLE_REPORT.lists
    assert.ok(list)
    const lists = [list, { ...list, territory: 'AT', state: 'overdue' as const }]
    const { remarks } = summarize({ ...SAMPLE_REPORT, findings: [], lists }, 'en')
    assert.deepEqual(remarks, [
      'The trusted lists are not up to date (AT). What they say about qualification may be outdated.',
    ])
  })

  it('names what else stands in the way, each once', () => {
    const [, undecided] = SAMPLE_REPORT.signatures
    assert.ok(undecided)
    const [constraint] = undecided.constraints.filter(({ subIndication }) => subIndication !== null)
    assert.ok(constraint)
    const expired = { ...constraint, name: 'path-expired', subIndication: 'OUT_OF_BOUNDS_NO_POE' as const }
    const constraints = [...undecided.constraints, expired, { ...expired, result: 'undecided' as const }]
    const { blocks } = summarize({ ...SAMPLE_REPORT, signatures: [{ ...undecided, constraints }] }, 'en')
    const besides = blocks[0]?.lines.filter(({ label }) => label === 'Besides') ?? []
    assert.deepEqual(
      besides.map(({ text }) => text.replace(/.*\(/, '(')),
      ['(OUT_OF_BOUNDS_NO_POE)'],
    )
  })

  it('does not call changes allowed where others were not', () => {
    const [good] = SAMPLE_REPORT.signatures
    assert.ok(good)
    const findings: Finding[] = [{ code: 'extended-after-signing', severity: 'info', detail: '' }]
    const changed = {
      ...good,
      findings,
      indication: 'TOTAL-FAILED',
      subIndication: 'FORMAT_FAILURE',
    } as const
    const said = (result: 'passed' | 'failed'): string => {
      const constraint = { block: 'format', name: 'changes-allowed', result, subIndication: null } as const
      const constraints = [{ ...constraint, detail: '', subject: null }]
      return summaryText(summarize({ ...SAMPLE_REPORT, signatures: [{ ...changed, constraints }] }, 'en'))
    }
    assert.match(said('passed'), /Allowed additions/)
    assert.doesNotMatch(said('failed'), /Allowed additions/)
  })

  it('shows what is wrong with the document as a whole', () => {
    assert.deepEqual(summarize(SAMPLE_REPORT, 'en').remarks, [
      'The document contains bytes that no signature covers. (17 bytes)',
    ])
  })
})

describe('the detailed report', () => {
  it('lists failed checks with reason and certificate, and the end of algorithms in both views', () => {
    const text = detailText(detail(SAMPLE_REPORT, 'en'))
    assert.match(text, /revocation\/not-revoked: failed · REVOKED_NO_POE · revoked since .* · a{16}…/)
    assert.match(text, /rsa-pkcs1 sha256 3072 · ETSI TS 119 312: suitable until 1 Jan 2029.* · BNetzA: no known end/)
  })
})

describe('the ETSI report', () => {
  const xml = etsiReport(SAMPLE_REPORT) ?? ''

  it('is well-formed XML with one entry per signature and time-stamp', () => {
    const root = parseXml(Buffer.from(xml), { maxBytes: 1e6, maxDepth: 32, maxElements: 10_000 })
    const entries = childElements(root).filter(({ local }) => local === 'SignatureValidationReport')
    assert.equal(entries.length, 3)
    assert.match(xml, /mainindication:total-passed/)
    assert.match(xml, /subindication:REVOKED_NO_POE/)
  })

  it('escapes what signers wrote', () => {
    assert.match(xml, /Bescheid &lt;erlassen&gt; &amp; gesiegelt/)
  })

  it('gives every object one id, and names no object that is not there', () => {
    const ids = [...xml.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    assert.equal(new Set(ids).size, ids.length)
    const references = [...xml.matchAll(/VOReference="([^"]+)"/g)].map(([, id]) => id)
    assert.deepEqual(
      references.filter((id) => !ids.includes(id)),
      [],
    )
  })

  it('is not made for a document without signatures', () => {
    assert.equal(etsiReport({ ...SAMPLE_REPORT, signatures: [], timestamps: [] }), null)
  })
})

describe('the report for the file', () => {
  it('has the same bytes each time', async () => {
    assert.deepEqual(await reportPdf(SAMPLE_REPORT, 'de'), await reportPdf(SAMPLE_REPORT, 'de'))
  })

  if (programsFor('the report for the file', 'pdfinfo', 'pdfdetach')) {
    it('is one page with both attachments, also with two hundred signatures', async () => {
      const many = SAMPLE_REPORT.signatures.flatMap((signature) =>
        Array.from({ length: 100 }, (_, i) => ({ ...signature, id: `${signature.id}-${i}` })),
      )
      const folder = mkdtempSync(path.join(tmpdir(), 'report-'))
      try {
        for (const signatures of [SAMPLE_REPORT.signatures, many]) {
          const file = path.join(folder, 'report.pdf')
          writeFileSync(file, await reportPdf({ ...SAMPLE_REPORT, signatures }, 'en'))
          assert.match((await run('pdfinfo', file)).output, /Pages: +1\n/)
          const attachments = (await run('pdfdetach', '-list', file)).output
          assert.match(attachments, /validation-report\.json[^]*validation-report\.xml/)
        }
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
  }
})
