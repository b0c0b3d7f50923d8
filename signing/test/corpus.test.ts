/**
 * Recorded documents, good and forged, and the verdicts that they must get: each with its own clock and anchors, offline.
 *
 * A few of them always; all of them where the common test data lie beside the repository.
 */
import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { basename, join } from 'node:path'
import { complaints, readCorpus, validateFile } from './corpus.ts'
import type { CorpusFile } from './corpus.ts'
import { sharedData } from './shared-data.ts'

/**
 * Where the answer of this program differs on purpose from what another one recorded, and why. Verdicts that must not
 * pass are never among them. An entry that has become needless fails.
 */
const APART: ReadonlyMap<string, string> = new Map([
  [
    'pades-b-lt-timestamp-after-expiry-A.pdf',
    'level: the only answer about the signer is from after its end, it counts not',
  ],
  ['dss-Signature-P-HU_MIC-3.pdf', 'level: revocationInfoArchival is in no baseline'],
  ['dss-annotation-and-visible-change.pdf', 'level: revocationInfoArchival is in no baseline'],
  ['dss-fieldmdp-include.pdf', 'level: revocationInfoArchival is in no baseline'],
  ['dss-Signature-P-SK-6.pdf', 'level: the document time-stamp covers the revocation data of the first signature'],
  ['dss-pades-tst-with-sig-type.pdf', 'level: the document time-stamp counts although its /Type is /Sig'],
  ['dss-xades-wrong-sign-cert-digest.xml', 'level: no baseline without a right reference to the certificate'],
  ['dss-pades-lta-copied-doctst.pdf', 'a time-stamp that was copied is listed once'],
  [
    'dss-pades-t-duplicated-doctst.pdf',
    'the copy of a document time-stamp does not cover its own revision: it is broken',
  ],
  [
    'dss-ac-ASiC-E-CAdES-BpLTA-copied-arctst.sce',
    'the first archive manifest and its time-stamp fit; only the copy does not',
  ],
  ['dss-ax-removed-doc.asice', 'a time-stamp over data that are not there is undecided, not broken'],
  ['dss-ac-removed-doc.asice', 'an archive manifest that names a file that is not there protects nothing'],
  [
    'dss-cades-broken-sig-tst.p7m',
    'the token holds together; its signing-time alone is after the end of the certificate',
  ],
])

/** of the processor, not of the clock on the wall: other tests run beside it */
const SECONDS_PER_FILE = 2

function suite(title: string, folder: string): void {
  const files = readCorpus(folder)
  if (files.length === 0) {
    console.info(`  ${title}: the data is not here, its cases are not run`)
    return
  }
  describe(title, () => {
    const wrong: string[] = []
    let slowest = 0
    for (const entry of files)
      it(`${entry.file}: ${entry.reason}`.slice(0, 150), async () => {
        const before = process.cpuUsage()
        const found = await complaintsAbout(folder, entry)
        const { user, system } = process.cpuUsage(before)
        slowest = Math.max(slowest, (user + system) / 1e6)
        const apart = APART.get(basename(entry.file))
        if (found.length > 0) wrong.push(apart === undefined ? entry.file : `${entry.file} (${apart})`)
        if (apart === undefined) assert.deepEqual(found, [])
        else assert.ok(found.length > 0 && !found.some((text) => /^(?:passed|headline)/.test(text)), found.join())
        assert.ok((user + system) / 1e6 < SECONDS_PER_FILE, `${(user + system) / 1e6} s`)
      }).timeout(30_000)
    for (const { file, expected, entry } of later(files))
      it(`${file} at other times`, async () => {
        for (const [time, verdict] of Object.entries(expected)) {
          const report = await validateFile(folder, entry, time)
          assert.equal(report.signatures[0]?.indication, verdict, time)
        }
      })
    after(() => {
      const right = files.length - wrong.length
      for (const file of wrong) console.info(`    apart: ${file}`)
      console.info(`    ${right} of ${files.length} files right, slowest ${slowest.toFixed(2)} s of processor time`)
    })
  })
}

async function complaintsAbout(folder: string, entry: CorpusFile): Promise<string[]> {
  return complaints(entry, await validateFile(folder, entry))
}

function later(files: readonly CorpusFile[]) {
  return files.flatMap((entry) => {
    const { file, expected } = entry
    return expected.atTime === undefined ? [] : [{ file, expected: expected.atTime, entry }]
  })
}

describe('offline validation', () => {
  const folder = join(import.meta.dirname, 'fixtures', 'validation')
  const files = readCorpus(folder)

  it('gives the same report twice', async () => {
    for (const entry of files) {
      const [one, two] = [await validateFile(folder, entry), await validateFile(folder, entry)]
      assert.equal(JSON.stringify(one), JSON.stringify(two), entry.file)
    }
  }).timeout(20_000)

  it('opens no connection', async () => {
    const connect = Object.getOwnPropertyDescriptor(Socket.prototype, 'connect')
    assert.ok(connect)
    const tried: unknown[] = []
    Socket.prototype.connect = function refuse(...parts: unknown[]) {
      tried.push(parts)
      return this
    }
    try {
      for (const entry of files) await validateFile(folder, entry)
    } finally {
      Object.defineProperty(Socket.prototype, 'connect', connect)
    }
    assert.deepEqual(tried, [])
  }).timeout(20_000)
})

suite('recorded documents', join(import.meta.dirname, 'fixtures', 'validation'))
suite('all recorded documents', sharedData)
