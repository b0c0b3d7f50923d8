/**
 * Signatures of PDFs as facts: documents of other producers with accepted answers, and byte ranges that no honest
 * program writes.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SigningError, bufferAccess } from '../index.ts'
import { readPdfFacts } from '../pdf/facts.ts'
import { buildPdf, onePage, updatePdf } from './build-pdf.ts'
import { sharedData } from './shared-data.ts'
import { formDocument, signRevision } from './support/signed-pdf.ts'
import { seal } from './trial-key.ts'

const fixtures = join(import.meta.dirname, 'fixtures')

interface Read {
  signatures: string[]
  timestamps: string[]
  findings: string[]
}

/** Faults of each signature and time-stamp, and findings that are worth a word. */
async function read(pdf: Buffer, password?: string): Promise<Read> {
  const { signatures, timestamps, findings } = await readPdfFacts(bufferAccess(pdf), { password })
  const all = [...signatures.flatMap((signature) => signature.findings), ...findings]
  return {
    signatures: signatures.map(({ faults }) => faults.map(({ code }) => code).join(' ')),
    timestamps: timestamps.map(({ faults }) => faults.map(({ code }) => code).join(' ')),
    findings: [...new Set(all.filter(({ severity }) => severity !== 'info').map(({ code }) => code))],
  }
}

const signed = (entries = ''): Promise<Buffer> =>
  signRevision(null, { objects: formDocument(), signature: 21, entries })

/** Replaces text of the same length, or shorter and padded, so that no offset moves. */
function replaced(pdf: Buffer, from: RegExp, to: string): Buffer {
  const text = pdf.toString('latin1')
  const found = from.exec(text)?.[0]
  assert.ok(found !== undefined && to.length <= found.length)
  return Buffer.from(
    text.replace(found, () => to.padEnd(found.length)),
    'latin1',
  )
}

describe('signatures that hold', () => {
  it('are told with what they cover and claim', async () => {
    const pdf = await seal(buildPdf({ objects: onePage() }), { reason: 'Bescheid' })
    const { signatures, evidence } = await readPdfFacts(bufferAccess(pdf))
    const [signature] = signatures
    assert.equal(signatures.length, 1)
    assert.deepEqual(signature?.faults, [])
    assert.deepEqual(signature.profileFaults, [])
    assert.deepEqual([signature.id, signature.form, signature.name], ['S1', 'PAdES', 'Siegel1'])
    assert.deepEqual([signature.scope.kind, signature.scope.revisionBytes], ['whole', pdf.length])
    assert.deepEqual([signature.claimed.reason, signature.claimed.time], ['Bescheid', new Date('2026-11-23T10:00:00Z')])
    assert.equal(evidence.certificates.length > 0, true)
  })

  it('let their revision be cut out of a longer document', async () => {
    const first = await seal(buildPdf({ objects: onePage() }))
    const second = await seal(first)
    const { signatures } = await readPdfFacts(bufferAccess(second))
    assert.deepEqual(
      signatures.map(({ scope }) => [scope.kind, scope.revisionBytes]),
      [
        ['revision', first.length],
        ['whole', second.length],
      ],
    )
    const cut = await readPdfFacts(bufferAccess(second.subarray(0, first.length)))
    assert.equal(cut.signatures[0]?.scope.kind, 'whole')
  })

  it('are found in documents of every structure', async () => {
    for (const style of ['table', 'stream', 'hybrid'] as const) {
      const packed = style === 'table' ? [] : [1, 2, 5]
      const pdf = await seal(buildPdf({ objects: onePage(), style, packed }))
      assert.deepEqual(await read(pdf), { signatures: [''], timestamps: [], findings: [] }, style)
    }
    const linearised = await seal(await readFile(join(fixtures, 'chromium-linearised.pdf')))
    assert.deepEqual((await read(linearised)).signatures, [''])
  })

  it('are read with a password where one is needed', async () => {
    const pdf = await readFile(join(fixtures, 'encrypted-aes256.pdf'))
    const isEncrypted = (error: unknown): boolean =>
      error instanceof SigningError && error.code === 'signing/pdf-encrypted'
    await assert.rejects(readPdfFacts(bufferAccess(pdf)), isEncrypted)
    assert.deepEqual((await read(pdf, 'geheim')).signatures, [''])
  })

  it('prove what a document time-stamp covers', async () => {
    const pdf = await readFile(join(fixtures, 'b-lta.pdf'))
    const { signatures, timestamps } = await readPdfFacts(bufferAccess(pdf))
    const [signature] = signatures
    assert.deepEqual(signature?.faults, [])
    assert.equal(signature.carriesEvidence, true)
    const [own, archive] = timestamps
    assert.deepEqual([own?.kind, archive?.kind], ['signature', 'document'])
    assert.ok(archive?.covers.has(signature.valueId) && archive.covers.has(own?.tokenId ?? ''))
  })
})

describe('signatures that are none', () => {
  const ranges: Record<string, (gapStart: number, gapEnd: number, size: number) => string> = {
    'no numbers': () => '[]',
    null: () => 'null',
    zeros: () => '[0 0 0 0]',
    'a negative number': (a, b, size) => `[0 ${a} ${b} -${size}]`,
    'one range': (a) => `[0 ${a}]`,
    'three ranges': (a, b) => `[0 ${a} ${b} 1 ${b + 1} 1]`,
    'a later start': (a, b, size) => `[1 ${a} ${b} ${size - b}]`,
    'a gap that is too large': (a, b, size) => `[0 ${a} ${b + 9} ${size - b - 9}]`,
    'a gap without its brackets': (a, b, size) => `[0 ${a + 1} ${b - 1} ${size - b + 1}]`,
    'ranges that overlap': (a, b, size) => `[0 ${b} ${a} ${size - a}]`,
    'an end inside the revision': (a, b, size) => `[0 ${a} ${b} ${size - b - 900}]`,
    'an end behind the document': (a, b, size) => `[0 ${a} ${b} ${size}]`,
    'something else than an array': () => '(0 1 2 3)',
  }
  for (const [name, range] of Object.entries(ranges)) {
    it(`has a byte range with ${name}`, async () => {
      const pdf = await signed()
      const [, a, b] = /\/ByteRange \[0 (\d+) (\d+)/.exec(pdf.toString('latin1')) ?? []
      const changed = replaced(pdf, /\/ByteRange \[[^\]]*\] */, `/ByteRange ${range(Number(a), Number(b), pdf.length)}`)
      assert.deepEqual((await read(changed)).signatures, ['format'])
    })
  }

  const dictionaries: Record<string, (pdf: Buffer) => Buffer> = {
    'no byte range': (pdf) => replaced(pdf, /\/ByteRange /, '/ByteStolz '),
    'two byte ranges': (pdf) => replaced(pdf, /\/M\(D:20261123100000Z\)/, '/ByteRange[0 1 2 3]'),
    'no contents': (pdf) => replaced(pdf, /\/Contents </, '/Contentz <'),
    'contents of nothing': (pdf) => replaced(pdf, /\/Contents <[^>]*>/, `/Contents <${'0'.repeat(8192)}>`),
    'contents that are no signature': (pdf) => replaced(pdf, /\/Contents <3/, '/Contents <4'),
    'contents elsewhere': (pdf) => replaced(pdf, /\/M\(D:20261123100000Z\)/, '/Contents 4 0 R'),
    'no kind that is known': (pdf) => replaced(pdf, /\/SubFilter\/ETSI/, '/SubFilter/XXXX'),
  }
  for (const [name, change] of Object.entries(dictionaries)) {
    it(`has a dictionary with ${name}`, async () => {
      const { signatures } = await read(change(await signed()))
      assert.equal(signatures.length, 1)
      assert.match(signatures[0] ?? '', /^(format|constraints)/)
    })
  }

  it('hides other objects in the gap', async () => {
    const pdf = await signed()
    const text = pdf.toString('latin1')
    const at = text.indexOf('0000>') + 4
    const evil = Buffer.from('> 4 0 obj <</Length 0>> stream\nendstream endobj <', 'latin1')
    const moved = Buffer.concat([pdf.subarray(0, at), evil, pdf.subarray(at)])
    const ranged = moved
      .toString('latin1')
      .replace(/(\/ByteRange \[0 \d+ )(\d+)/, (_, head: string, gapEnd: string) => {
        return `${head}${Number(gapEnd) + evil.length}`
      })
    const { signatures } = await read(Buffer.from(ranged, 'latin1'))
    assert.match(signatures[0] ?? '', /format/)
  })

  it('is not the one of its revision', async () => {
    const pdf = await signed()
    const body = /21 0 obj\n([^]*?)\nendobj/.exec(pdf.toString('latin1'))?.[1] ?? ''
    const catalog = String(formDocument()[1]).replace('20 0 R]', '20 0 R 31 0 R]')
    const copy = updatePdf(pdf, {
      objects: { 1: catalog, 30: body, 31: '<</Type/Annot/Subtype/Widget/FT/Sig/T(Kopie)/V 30 0 R/Rect[0 0 0 0]>>' },
    })
    assert.deepEqual((await read(copy)).signatures, ['format', ''])
  })

  it('is never called absent, however broken the document is', async () => {
    const pdf = await signed()
    const broken = [
      replaced(pdf, /startxref\n\d+/, 'startxref\n9'),
      replaced(pdf, /\/Root 1 0 R/, '/Root 9 0 R'),
      replaced(pdf, /\/Fields/, '/Felder'),
      pdf.subarray(0, pdf.length - 40),
    ]
    for (const document of broken) {
      const { signatures } = await read(document)
      assert.ok(signatures.length > 0 && signatures.every((faults) => faults !== ''))
    }
    const unsigned = await readPdfFacts(bufferAccess(buildPdf({ objects: onePage() })))
    assert.deepEqual([unsigned.signatures, unsigned.findings], [[], []])
  })

  it('is not one in an attached document', async () => {
    const inner = (await signed()).toString('latin1')
    const attached = `<</Type/EmbeddedFile/Length ${inner.length}>>\nstream\n${inner}\nendstream`
    const { signatures, findings } = await readPdfFacts(bufferAccess(buildPdf({ objects: onePage({ 6: attached }) })))
    assert.deepEqual([signatures, findings], [[], []])
  })
})

/** What must be found in documents of other producers: faults of the signatures, then words that must be among the findings. */
const KNOWN: Record<string, [string[], string[]?]> = {
  'pades-b-lta-ec-A': [['']],
  'pades-certify-then-approve-A': [['', '']],
  'pades-lta-renewed-A': [['']],
  'pades-byteflip-content-A': [['digest']],
  'pades-sigvalue-corrupt-A': [['value']],
  'pades-usf-no-byterange-A': [['format']],
  'pades-usf-byterange-null-A': [['format']],
  'pades-usf-contents-zero-A': [['format']],
  'pades-usf-contents-missing-A': [['format']],
  'pades-swa-gap-injection-A': [['format']],
  'pades-isa-page-content-replaced-A': [['forbidden-change']],
  'pades-isa-trailing-objects-A': [[''], ['uncovered-bytes']],
  'pades-isa-page-added-A': [['forbidden-change']],
  'pades-shadow-hide-and-replace-A': [['forbidden-change']],
  'pades-shadow-hide-A': [['forbidden-change']],
  'pades-shadow-replace-font-A': [['forbidden-change']],
  'pades-openaction-added-A': [['forbidden-change']],
  'pades-docmdp1-form-filled-A': [['forbidden-change']],
  'pades-docmdp2-form-filled-A': [[''], ['extended-after-signing']],
  'pades-docmdp2-annotation-added-A': [['forbidden-change']],
  'pades-docmdp3-annotation-added-A': [[''], ['annotations-after-signing']],
  'pades-eaa-docmdp3-overlay-A': [[''], ['content-covered']],
  'pades-approval-annotation-overlay-A': [[''], ['content-covered']],
  'pades-fieldmdp-locked-changed-A': [['forbidden-change']],
  'pades-fieldmdp-unlocked-changed-A': [['']],
  'dss-Signature-P-HU_POL-7': [['', '']],
  'dss-muestra-firmado-firmado': [['', '']],
  'dss-PAdES-LT': [['', '', '']],
  'dss-DSS-1983': [['']],
  'dss-pdf-eof': [['']],
  'dss-hide': [['forbidden-change']],
  'dss-pdf-signed-out-of-byteRange': [['format']],
  'dss-pdf-removed-pages': [['forbidden-change']],
  'dss-pades-spoofing-replaced-reason': [['forbidden-change'], ['display-changed']],
  'dss-pades-signed-annot-added': [[''], ['annotations-after-signing', 'content-covered']],
  'dss-certified-changes-permitted': [['']],
  'dss-fieldmdp-include': [['']],
  'dss-pades-lta-copied-doctst': [[''], []],
  'dss-pades_infinite_loop': [['format constraints']],
  'pyhanko-one-byterange': [['format']],
  'pyhanko-tail-uncovered': [[''], ['uncovered-bytes']],
  'pyhanko-form-update-override-appearance-stream-sneaky': [['forbidden-change', '']],
  'pyhanko-form-update-no-override-appearance-stream-ap-indirect': [['', '']],
  'pyhanko-extensions-update-direct': [['', '']],
  'pyhanko-pades-lta-dss-indirect-arrs-test-2': [['', '']],
}

describe('documents of other producers', () => {
  const files = join(sharedData, 'files')
  if (!existsSync(files)) {
    console.log('  (the common test documents are not here)')
    return
  }
  for (const [name, [faults, words = []]] of Object.entries(KNOWN)) {
    it(name, async () => {
      const found = await read(await readFile(join(files, `${name}.pdf`)))
      assert.deepEqual(found.signatures, faults)
      for (const word of words)
        assert.ok(
          found.findings.some((code) => code === word),
          `${word} is missing`,
        )
    })
  }

  it('proves nothing by time-stamps that were copied', async () => {
    for (const name of ['dss-pades-lta-copied-doctst', 'dss-pades-t-duplicated-doctst']) {
      const { timestamps } = await readPdfFacts(bufferAccess(await readFile(join(files, `${name}.pdf`))))
      const ids = timestamps.filter(({ covers }) => covers.size > 0).map(({ tokenId }) => tokenId)
      assert.equal(new Set(ids).size, ids.length)
      assert.ok(timestamps.some(({ findings }) => findings.some(({ code }) => code === 'timestamp-copied')))
    }
  })
})
