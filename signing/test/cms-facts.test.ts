/** Facts about CMS and CAdES signatures that others made, right and wrong. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCmsFacts } from '../cms/document.ts'
import { bufferAccess } from '../index.ts'
import type { DocumentFacts } from '../validation/facts.ts'
import { sharedData } from './shared-data.ts'

interface Expected {
  file: string
  detached?: string
  /** fault codes per signature, in order; default: one without faults */
  faults?: string[][]
  /** per time-stamp: its kind and fault codes */
  stamps?: string[]
  /** codes of all findings, of document, signatures and time-stamps apart from weak references of tokens */
  findings?: string[]
}

const TEXT = 'detached/schriftsatz-A.txt'
const ANNEX = 'detached/anlage_A.txt'

const CASES: Expected[] = [
  { file: 'cades-b-A.p7s', detached: TEXT },
  { file: 'cades-b-A.p7s', faults: [['data-missing']] },
  { file: 'cades-t-A.p7s', detached: TEXT, stamps: ['signature'] },
  { file: 'cades-wrong-content-A.p7s', detached: TEXT, faults: [['digest']] },
  { file: 'cades-ess-hash-mismatch-A.p7s', detached: TEXT, faults: [['certificate-reference']] },
  { file: 'cades-ess-points-to-other-cert-A.p7s', detached: TEXT, faults: [['certificate-reference']] },
  { file: 'cms-no-ess-A.p7s', detached: TEXT, findings: ['not-baseline'] },
  { file: 'cades-ess-v1-sha1-A.p7s', detached: TEXT, findings: ['weak-reference'] },
  { file: 'cades-sigvalue-corrupt-A.p7s', detached: TEXT, faults: [['value']] },
  { file: 'cades-unsorted-signedattrs-A.p7s', detached: TEXT, findings: ['attributes-unsorted'] },
  { file: 'cades-wrong-contenttype-attr-A.p7s', detached: TEXT, faults: [['format']] },
  {
    file: 'cades-attrs-stripped-content-swap-A.p7s',
    detached: 'detached/attrs-as-content-A.bin',
    faults: [['format', 'constraints']],
    findings: ['not-baseline'],
  },
  { file: 'cms-no-signed-attrs-A.p7s', detached: TEXT, faults: [['constraints']], findings: ['not-baseline'] },
  { file: 'cades-two-signers-one-broken-A.p7s', detached: TEXT, faults: [['value'], []] },
  { file: 'cades-sha1-A.p7s', detached: TEXT, findings: ['weak-reference'] },
  { file: 'cades-ber-indefinite-A.p7s', detached: TEXT, findings: ['not-der'] },
  { file: 'cades-trailing-garbage-A.p7s', detached: TEXT, findings: ['trailing-bytes'] },
  { file: 'cades-enveloping-A.p7m' },
  { file: 'cades-enveloping-tampered-A.p7m', faults: [['digest']] },
  { file: 'cades-rogue-same-subject-A.p7s', detached: TEXT },
  { file: 'cades-digest-sig-mismatch-A.p7s', detached: TEXT, faults: [['value']] },
  { file: 'cades-lt-A.p7s', detached: ANNEX, stamps: ['signature'] },
  { file: 'cades-lta-A.p7s', detached: ANNEX, stamps: ['signature', 'archive'] },
  { file: 'dss-CAdESDoubleLTA.p7m', stamps: ['signature', 'archive', 'archive'] },
  { file: 'dss-Signature-C-B-LTA-10.p7m', stamps: ['signature', 'archive', 'archive'] },
  { file: 'dss-cades-enveloping-broken.pkcs7', faults: [['digest']] },
  { file: 'dss-cades-enveloping.pkcs7' },
  { file: 'dss-CAdES-BpLTA_modified_ats_hash_element.p7m', stamps: ['signature', 'archive imprint index'] },
  // OpenSSL, too, finds the signature of this time-stamp right
  { file: 'dss-cades-broken-sig-tst.p7m', stamps: ['signature'] },
  { file: 'dss-cms-no-sign-cert.p7m', faults: [['certificate-missing']], findings: ['not-baseline'] },
  { file: 'dss-signedFile.pdf.p7s', faults: [[], [], [], [], [], []] },
  {
    file: 'dss-counterSig.p7m',
    faults: [[], []],
    stamps: ['signature', 'signature'],
    findings: ['not-der', 'weak-reference', 'weak-reference'],
  },
  { file: 'dss-DER_reordered_prova.txt.p7m', findings: ['not-der', 'attributes-unsorted'] },
  { file: 'dss-CAdES-BpB-att-SHA3_256-SHA256withRSA.p7m', faults: [['value']] },
  { file: 'dss-CAdES-BpB-att-SHA3_512-SHA3_512withRSA.p7m' },
  { file: 'dss-cades-lta-duplicated-atst.p7m', stamps: ['signature', 'archive'], findings: ['timestamp-copied'] },
  { file: 'dss-cades-extended-epes.pkcs7', faults: [['policy-missing']] },
]

const shared = (path: string): Buffer => readFileSync(join(sharedData, path))

const read = ({ file, detached }: Expected): Promise<DocumentFacts> =>
  readCmsFacts(shared(`files/${file}`), detached === undefined ? null : bufferAccess(shared(detached)))

describe('CMS signatures that others made', () => {
  if (!existsSync(sharedData)) {
    console.log('  CMS signatures that others made: not run, the shared data are not there')
    return
  }
  for (const expected of CASES) {
    const { file, detached, faults = [[]], stamps = [], findings = [] } = expected
    it(`${file}${detached === undefined ? '' : ' with its content'}: ${faults.flat().join(', ') || 'holds'}`, async () => {
      const facts = await read(expected)
      assert.deepEqual(
        facts.signatures.map((signature) => signature.faults.map(({ code }) => code)),
        faults,
      )
      assert.deepEqual(
        facts.timestamps.map(({ kind, faults: found }) => [kind, ...found.map(({ code }) => code)].join(' ')),
        stamps,
      )
      const codes = [...facts.findings, ...facts.signatures.flatMap((signature) => signature.findings)]
      assert.deepEqual(
        codes.map(({ code }) => code),
        findings,
      )
    })
  }

  it('an archive time-stamp of the second version proves what stands in the values of extended forms', async () => {
    const facts = await read({ file: 'dss-Signature-C-B-LTA-10.p7m' })
    const archive = facts.timestamps.find(({ kind }) => kind === 'archive')
    assert.ok(archive && archive.covers.size > 10)
    assert.ok(facts.evidence.ocsps.length > 0)
    assert.equal(facts.signatures[0]?.carriesEvidence, false)
  })
})
