/**
 * Documents that others signed, lifted to B-LTA: old signatures stay as they are, byte by byte, and what does not fit is
 * not built upon. Evidence is not fetched: what the document has must do, so that only the writing is looked at.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SigningError, bufferAccess } from '../index.ts'
import { openDocument } from '../pdf/document.ts'
import { extendPdf } from '../pdf/levels.ts'
import type { ExtendedPdf } from '../pdf/levels.ts'
import { readSignatures } from '../pdf/signatures.ts'
import { reference } from '../pdf/values.ts'
import type { EvidenceSource } from '../trust/online.ts'
import { programsFor, run } from './programs.ts'
import { sharedData } from './shared-data.ts'
import { askPyHanko } from './support/pyhanko.ts'
import { startTestAuthority } from './support/test-authority.ts'
import type { TestAuthority } from './support/test-authority.ts'

interface Entry {
  file: string
  password?: string
  peers?: { 'dss-5.12.1-default'?: { signatures?: { integrity: boolean }[] } }
}

const evidence: EvidenceSource = {
  collect: (_, given) => Promise.resolve({ evidence: { ...given }, gaps: [] }),
}

describe('lifting documents that others signed', () => {
  if (!existsSync(sharedData)) {
    console.log('  lifting documents that others signed: not run, the common test documents are not here')
    return
  }
  let authority: TestAuthority
  let entries: Entry[]
  let folder = ''
  before(async () => {
    authority = await startTestAuthority(new Date('2026-11-23T10:00:00Z'))
    const manifest = JSON.parse(await readFile(join(sharedData, 'manifest.json'), 'utf8')) as { files: Entry[] }
    entries = manifest.files.filter(({ file }) => file.endsWith('.pdf'))
    folder = await mkdtemp(join(tmpdir(), 'amtsbote-corpus-'))
  })
  after(async () => {
    await authority.close()
    await rm(folder, { recursive: true })
  })

  /** Null: refused. */
  async function lift(bytes: Buffer, password: string | undefined): Promise<ExtendedPdf | null> {
    const sources = { timestamps: authority.timestamps(), evidence }
    return extendPdf(bufferAccess(bytes), 'B-LTA', sources, { password }).catch((error: unknown) => {
      assert.ok(error instanceof SigningError, String(error))
      return null
    })
  }

  it('changes no byte of what was there, and builds on nothing that does not fit', async () => {
    let lifted = 0
    for (const { file, password, peers } of entries) {
      const before = await readFile(join(sharedData, file))
      const extended = await lift(before, password)
      if (extended === null) continue
      lifted++
      const after = Buffer.concat([before, extended.added])
      const known = await readSignatures(await openDocument(bufferAccess(before), { password }))
      const found = await readSignatures(await openDocument(bufferAccess(after), { password }))
      assert.deepEqual(
        found.slice(0, known.length).map(({ kind, end }) => [kind, end]),
        known.map(({ kind, end }) => [kind, end]),
        file,
      )
      const last = found.at(-1)
      assert.ok(last?.kind === 'timestamp' && last.end === after.length, file)
      const theirs = peers?.['dss-5.12.1-default']?.signatures ?? []
      assert.ok(
        theirs.every(({ integrity }) => integrity),
        `${file} is broken by another opinion`,
      )
    }
    assert.ok(lifted > entries.length / 2, `${lifted} of ${entries.length}`)
  }).timeout(120_000)

  /**
   * Null: pyHanko cannot compare revisions, for the document names an object that is not there. That means null
   * (ISO 32000-2 §7.3.10). Any other error is ours.
   */
  async function missingObject(document: Buffer, password: string, error: unknown): Promise<null> {
    const number = /Could not find object \((\d+) 0\)/.exec(String(error))?.[1]
    if (number === undefined) throw error
    const opened = await openDocument(bufferAccess(document), { password })
    assert.equal((await opened.fetch(reference(Number(number)))).kind, 'null', String(error))
    return null
  }

  it('keeps them valid for pdfsig, qpdf and pyHanko', async () => {
    if (!programsFor('lifted documents before pdfsig and qpdf', 'pdfsig', 'qpdf')) return
    const path = join(folder, 'lifted.pdf')
    const validIn = async (password = ''): Promise<number> =>
      (await run('pdfsig', '-nocert', '-upw', password, path)).output.match(/Signature is Valid/g)?.length ?? 0
    const chosen = process.env['AMTSBOTE_PROVE'] === '1' ? entries : entries.filter((_, index) => index % 12 === 0)
    for (const { file, password = '' } of chosen) {
      const before = await readFile(join(sharedData, file))
      const extended = await lift(before, password)
      if (extended === null) continue
      await writeFile(path, before)
      const [valid, structure] = [await validIn(password), await run('qpdf', '--check', `--password=${password}`, path)]
      const opinions = await askPyHanko(path, password).catch(() => null)
      await writeFile(path, Buffer.concat([before, extended.added]))
      assert.equal(await validIn(password), valid, file)
      const checked = await run('qpdf', '--check', `--password=${password}`, path)
      assert.ok(checked.code <= structure.code, `${file}: ${checked.output}`)
      if (opinions === null) continue
      const now = await askPyHanko(path, password).catch((error: unknown) => missingObject(before, password, error))
      if (now === null) {
        console.log(
          `      pyHanko compares no revisions of ${file}: the document names an object that it does not have`,
        )
        continue
      }
      for (const { field, holds, changesAllowed } of opinions) {
        const again: (typeof opinions)[number] | undefined = now.find((one) => one.field === field)
        assert.equal(again?.holds, holds, `${file}: ${field}`)
        assert.equal(again.changesAllowed, changesAllowed, `${file}: ${field}`)
      }
    }
  }).timeout(600_000)
})
