/** Facts about containers that others made, right and wrong. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readAsicFacts } from '../asic/facts.ts'
import { bufferAccess } from '../index.ts'
import type { DocumentFacts } from '../validation/facts.ts'
import { sharedData } from './shared-data.ts'

interface Expected {
  file: string
  /** fault codes per signature; default: one without faults */
  faults?: string[][]
  /** per time-stamp: its kind and fault codes */
  stamps?: string[]
  /** codes of the findings that make a container unclean */
  unclean?: string[]
  /** scope of each signature */
  scopes?: string[]
}

const CASES: Expected[] = [
  { file: 'asice-xades-B-A.asice' },
  { file: 'asice-xades-T-A.asice', stamps: ['signature'] },
  { file: 'asice-xades-LT-A.asice', stamps: ['signature'] },
  { file: 'asice-xades-LTA-A.asice', stamps: ['signature', 'archive'] },
  { file: 'asice-cades-LTA-A.asice', stamps: ['signature', 'manifest'] },
  { file: 'asics-xades-LT-A.asics', stamps: ['signature'] },
  { file: 'asics-cades-LT-A.asics', stamps: ['signature'] },
  { file: 'asice-file-tampered-A.asice', faults: [['digest']], stamps: ['signature'], unclean: ['files-not-covered'] },
  {
    file: 'asice-file-removed-A.asice',
    faults: [['data-missing']],
    stamps: ['signature'],
    unclean: ['files-not-covered'],
  },
  {
    file: 'asice-unsigned-file-added-A.asice',
    stamps: ['signature'],
    unclean: ['files-not-covered'],
    scopes: ['part'],
  },
  {
    file: 'asice-duplicate-entry-A.asice',
    faults: [['format']],
    stamps: ['signature'],
    unclean: ['container-structure'],
  },
  {
    file: 'asice-path-traversal-A.asice',
    faults: [['format']],
    stamps: ['signature'],
    unclean: ['container-structure', 'files-not-covered'],
  },
  { file: 'asice-mimetype-wrong-A.asice', stamps: ['signature'], unclean: ['mimetype'] },
  {
    file: 'asice-local-central-name-mismatch-A.asice',
    faults: [['format']],
    stamps: ['signature'],
    unclean: ['container-structure'],
  },
  { file: 'asice-zip-bomb-A.asice', faults: [['format']], stamps: ['signature'], unclean: ['container-structure'] },
  { file: 'asice-doctype-xxe-A.asice', faults: [['format']], unclean: ['files-not-covered'] },
  {
    file: 'asice-reference-retargeted-A.asice',
    faults: [['value']],
    stamps: ['signature'],
    unclean: ['files-not-covered'],
  },
  { file: 'asice-lta-archive-ts-broken-A.asice', stamps: ['signature', 'archive imprint'] },
  { file: 'dss-ax-onefile-ok.asice', stamps: ['content'] },
  { file: 'dss-ax-onefile-no-mimetype.asice', stamps: ['content'] },
  { file: 'dss-ax-Signature-A-EE_AS-6.asice', stamps: ['signature'] },
  { file: 'dss-ax-DSS-2123.asice', stamps: ['signature'] },
  { file: 'dss-ax-open-document-resigned.odt', faults: [[], []], scopes: ['whole', 'whole'] },
  { file: 'dss-ax-false-zip-comment.odp', faults: [[], [], []], scopes: ['whole', 'whole', 'whole'] },
  { file: 'dss-ax-no-signature.asics', faults: [['format']], unclean: ['files-not-covered'] },
  { file: 'dss-ac-multifiles-ok.asice', stamps: ['content'] },
  {
    file: 'dss-ac-brokenReference.asice',
    faults: [['digest']],
    stamps: ['content'],
    unclean: ['files-not-covered'],
  },
  {
    file: 'dss-ac-removed-doc.asice',
    faults: [['data-missing']],
    stamps: ['content', 'signature', 'manifest index'],
  },
  { file: 'dss-ac-ASiC-E-CAdES-BpLTA.sce', stamps: ['signature', 'manifest'] },
  { file: 'dss-ac-ASiC-E-CAdES-BpLTA-copied-arctst.sce', stamps: ['signature', 'manifest', 'manifest imprint'] },
  { file: 'dss-ac-emptyCertStore.asice', faults: [['certificate-missing']], scopes: ['whole'] },
  {
    file: 'dss-ac-nonConformantManifest.asice',
    stamps: ['signature'],
    unclean: ['mimetype', 'container-structure', 'files-not-covered'],
    scopes: ['part'],
  },
  { file: 'dss-ac-containerWithCounterSig.asics', faults: [['digest'], []], scopes: ['nothing', 'whole'] },
]

const read = (file: string): Promise<DocumentFacts> =>
  readAsicFacts(bufferAccess(readFileSync(join(sharedData, 'files', file))))

describe('containers that others made', () => {
  if (!existsSync(sharedData)) {
    console.log('  containers that others made: not run, the shared data are not there')
    return
  }
  for (const { file, faults = [[]], stamps = [], unclean = [], scopes } of CASES) {
    it(`${file}: ${[...faults.flat(), ...unclean].join(', ') || 'in order'}`, async () => {
      const facts = await read(file)
      const codes = facts.signatures.map((signature) => [...new Set(signature.faults.map(({ code }) => code))])
      assert.deepEqual(codes, faults)
      assert.deepEqual(
        facts.timestamps.map(({ kind, faults: found }) => [kind, ...found.map(({ code }) => code)].join(' ')),
        stamps,
      )
      assert.deepEqual(
        facts.findings.filter(({ severity }) => severity === 'unclean').map(({ code }) => code),
        unclean,
      )
      const expected = scopes ?? faults.map((found) => (found.length === 0 ? 'whole' : 'nothing'))
      assert.deepEqual(
        facts.signatures.map(({ scope }) => scope.kind),
        expected,
      )
    })
  }

  it('a signature over several files is told, because courts refuse it', async () => {
    const { signatures } = await read('asice-cades-LTA-A.asice')
    assert.ok(signatures[0]?.findings.some(({ code }) => code === 'container-signature'))
    const { signatures: single } = await read('asics-cades-LT-A.asics')
    assert.ok(single[0]?.findings.every(({ code }) => code !== 'container-signature'))
  })

  it('an archive manifest proves what is inside the signatures that it names', async () => {
    const { signatures, timestamps, evidence } = await read('asice-cades-LTA-A.asice')
    const [signature] = signatures
    const archive = timestamps.find(({ kind }) => kind === 'manifest')
    assert.ok(signature && archive)
    assert.ok(archive.covers.has(signature.valueId))
    assert.deepEqual(signature.timestampIds, ['T1', 'T2'])
    assert.ok(evidence.crls.length > 0 && evidence.ocsps.length > 0)
  })
})
