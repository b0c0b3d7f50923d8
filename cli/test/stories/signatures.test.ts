/** Signatures at the command line, with a whole trust service on loopback: sign, lift, time-stamp, verify, batch. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { startTestAuthority } from '../../../signing/test/support/test-authority.ts'
import type { TestAuthority } from '../../../signing/test/support/test-authority.ts'
import { buildPdf, onePage } from '../../../signing/test/build-pdf.ts'
import { compose, systemWorld } from '../../compose.ts'
import { bufferAccess } from '../../../signing/index.ts'
import { loadConfig } from '../../config.ts'
import { temporaryInstallation } from '../support/cli.ts'
import type { Installation } from '../support/cli.ts'

describe('signatures at the command line', function () {
  this.timeout(120_000)
  let authority: TestAuthority
  let installation: Installation

  before(async () => {
    authority = await startTestAuthority(new Date())
    installation = temporaryInstallation([
      'signatures:',
      `  timestampServices: [{ url: "${authority.url}/tsa" }]`,
      'trust:',
      '  allowedHosts: ["127.0.0.1"]',
      'seal:',
      '  allowAdvanced: true',
    ])
    const keys = path.join(installation.folder, 'data', 'keys')
    mkdirSync(keys, { recursive: true, mode: 0o700 })
    writeFileSync(path.join(keys, 'seal.p12'), await authority.sealFile('nur zum Testen'), { mode: 0o600 })
    writeFileSync(path.join(keys, 'seal.passphrase'), 'nur zum Testen\n', { mode: 0o600 })
    writeFileSync(path.join(installation.folder, 'root.cer'), authority.root)
    assert.equal((await installation.cli('trust', 'add', at('root.cer'))).code, 0)
    writeFileSync(at('letter.pdf'), buildPdf({ objects: onePage() }))
    writeFileSync(at('letter.xml'), '<letter xmlns="urn:example"><to>Anna</to></letter>')
    writeFileSync(at('letter.txt'), 'Sehr geehrte Damen und Herren')
  })
  after(async () => {
    installation.end()
    await authority.close()
  })
  beforeEach(() => {
    authority.now = new Date()
  })

  const at = (name: string): string => path.join(installation.folder, name)

  async function verdict(
    file: string,
    ...more: string[]
  ): Promise<{ code: number; levels: string[]; headline: string }> {
    const { code, out } = await installation.cli('--json', 'verify', at(file), ...more)
    const report = JSON.parse(out) as { headline: string; signatures: { level: string }[] }
    return { code, headline: report.headline, levels: report.signatures.map(({ level }) => level) }
  }

  for (const [form, file, out, level] of [
    ['pades', 'letter.pdf', 'sealed.pdf', 'PAdES-BASELINE-LTA'],
    ['xades', 'letter.xml', 'signed.xml', 'XAdES-BASELINE-LTA'],
    ['cades-attached', 'letter.txt', 'letter.p7m', 'CAdES-BASELINE-LTA'],
    ['asic-e', 'letter.txt', 'letter.asice', 'CAdES-BASELINE-LTA'],
    ['asic-s', 'letter.txt', 'letter.asics', 'CAdES-BASELINE-LTA'],
  ] as const) {
    it(`signs to B-LTA as ${form}, and finds it valid`, async () => {
      const made = await installation.cli('sign', at(file), '--form', form, '--level', 'B-LTA', '--out', at(out))
      assert.equal(made.code, 0, made.err)
      assert.match(made.out, /advanced/)
      assert.deepEqual(await verdict(out), { code: 0, headline: 'valid', levels: [level] })
    })
  }

  it('makes what the name of --out says: a signature beside a PDF, or a container', async () => {
    for (const [out, form] of [
      ['letter.pdf.p7s', 'cades'],
      ['letter.pdf.asice', 'asic-e'],
      ['again.pdf', 'pades'],
    ] as const) {
      const made = (await installation.json('sign', at('letter.pdf'), '--level', 'B-B', '--out', at(out))) as object
      assert.deepEqual({ form }, { form: (made as { form: string }).form }, out)
    }
  })

  it('signs beside a file, and needs the file to judge the signature', async () => {
    const made = await installation.cli('sign', at('letter.txt'), '--level', 'B-LTA', '--out', at('letter.txt.p7s'))
    assert.equal(made.code, 0, made.err)
    assert.deepEqual(await verdict('letter.txt.p7s', '--content', at('letter.txt')), {
      code: 0,
      headline: 'valid',
      levels: ['CAdES-BASELINE-LTA'],
    })
    assert.deepEqual(await verdict('letter.txt.p7s', '--content', at('letter.xml')), {
      code: 3,
      headline: 'invalid',
      levels: ['CAdES-BASELINE-LT'],
    })
    assert.equal((await verdict('letter.txt.p7s')).headline, 'undecided')
  })

  it('lifts a B-B seal to B-LTA and renews it, without touching a byte of it', async () => {
    assert.equal((await installation.cli('seal', at('letter.pdf'), '--level', 'B-B', '--out', at('b.pdf'))).code, 0)
    for (const [from, to] of [
      ['b.pdf', 'lta.pdf'],
      ['lta.pdf', 'renewed.pdf'],
    ] as const) {
      const lifted = await installation.cli('extend', at(from), '--level', 'B-LTA', '--out', at(to))
      assert.equal(lifted.code, 0, lifted.err)
      assert.ok(
        readFileSync(at(to))
          .subarray(0, readFileSync(at(from)).length)
          .equals(readFileSync(at(from))),
      )
      assert.deepEqual(await verdict(to), { code: 0, headline: 'valid', levels: ['PAdES-BASELINE-LTA'] })
    }
  })

  it('time-stamps a file beside it and inside', async () => {
    assert.equal((await installation.cli('timestamp', at('letter.txt'), '--out', at('letter.tst'))).code, 0)
    const { out } = await installation.cli('--json', 'verify', at('letter.tst'), '--content', at('letter.txt'))
    const report = JSON.parse(out) as { timestamps: { indication: string }[] }
    assert.deepEqual(
      report.timestamps.map(({ indication }) => indication),
      ['TOTAL-PASSED'],
    )
    const inside = await installation.cli('timestamp', at('letter.pdf'), '--inside', '--out', at('stamped.pdf'))
    assert.equal(inside.code, 0, inside.err)
  })

  it('says in German what is wrong, and ends with 3', async () => {
    const bytes = readFileSync(at('sealed.pdf'))
    bytes.writeUInt8(bytes.readUInt8(9) ^ 1, 9)
    writeFileSync(at('altered.pdf'), bytes)
    const { code, out } = await installation.cli('verify', at('altered.pdf'))
    assert.equal(code, 3)
    assert.match(out, /^UNGÜLTIG/)
    assert.match(out, /Der Inhalt wurde nach der Signatur verändert/)
  })

  it('writes the report as ETSI XML and as a page for the file', async () => {
    assert.equal((await installation.cli('verify', at('sealed.pdf'), '--report', 'etsi', '--out', at('r.xml'))).code, 0)
    assert.match(readFileSync(at('r.xml'), 'utf8'), /mainindication:total-passed/)
    assert.equal((await installation.cli('verify', at('sealed.pdf'), '--report', 'pdf', '--out', at('r.pdf'))).code, 0)
    assert.match(readFileSync(at('r.pdf'), 'latin1'), /^%PDF-1\.7/)
  })

  it('judges offline with what the document carries', async () => {
    const asked = authority.asked.length
    assert.equal((await verdict('sealed.pdf', '--offline')).headline, 'valid')
    assert.equal(authority.asked.length, asked)
  })

  it('judges in the threads of the server as at the command line, with the same anchors and network', async () => {
    // only the seal, so that its revocation data must be asked for
    assert.equal((await installation.cli('seal', at('letter.pdf'), '--level', 'B-B', '--out', at('bb.pdf'))).code, 0)
    const { signatures, close } = await compose(loadConfig(installation.config), systemWorld('silent'))
    const asked = authority.asked.length
    const report = await signatures.validate(bufferAccess(readFileSync(at('bb.pdf'))), null)
    await close()
    assert.ok(authority.asked.length > asked)
    assert.equal(report.headline, (await verdict('bb.pdf')).headline)
    assert.equal(report.signatures[0]?.indication, 'TOTAL-PASSED')
  })

  it('seals all PDFs of a room, at B-T now and at B-LT later', async () => {
    await installation.json('room', 'create', 'Bescheide', '--level', 'SB2')
    const nothing = (await installation.json('seal', '--room', 'Bescheide', '--all')) as { total: number }
    assert.equal(nothing.total, 0, 'nothing to seal yet')
    await put('Bescheide', ['eins.pdf', 'zwei.pdf', 'drei.pdf'])
    const sealed = await installation.cli('seal', '--room', 'Bescheide', '--all', '--level', 'B-LT')
    assert.equal(sealed.code, 0, sealed.err)
    assert.match(sealed.out, /done: 3 sealed, 0 not, of 3/)
    const files = (await installation.json('room', 'files', 'Bescheide')) as { name: string; version: number }[]
    assert.equal(files.length, 4)
    assert.ok(files.some(({ name }) => name.startsWith('Siegelprotokoll')))
    const jobs = (await installation.json('job', 'list', '--kind', 'lift')) as unknown[]
    assert.ok(jobs.length <= 3)
  })

  async function put(name: string, files: readonly string[]): Promise<void> {
    const { storage, close } = await compose(loadConfig(installation.config), systemWorld('silent'))
    const room = await storage.rooms.byName(name)
    assert.ok(room !== null)
    for (const file of files) {
      const content = await storage.contents.put(room.id, readFileSync(at('letter.pdf')))
      await storage.transact(async (rows) => {
        await content.commit(rows.db)
        const version = { contentId: content.contentId, state: 'released' } as const
        await rows.files.create({ ...version, roomId: room.id, name: file }, { kind: 'operator', name: 'test' })
      })
    }
    await close()
  }

  for (const [what, args, code] of [
    ['a file that is not there', ['verify', 'absent.pdf'], 2],
    ['a level that does not exist', ['sign', 'letter.txt', '--level', 'B-X', '--out', 'x'], 2],
    ['several files in one CAdES', ['sign', 'letter.txt', 'letter.xml', '--out', 'x', '--form', 'cades'], 2],
    ['a folder', ['verify', '.'], 2],
  ] as const) {
    it(`refuses ${what} in one line`, async () => {
      const ran = await installation.cli(...args.map((arg) => (/^(absent|letter|\.)/.test(arg) ? at(arg) : arg)))
      assert.equal(ran.code, code)
      assert.equal(ran.out, '')
    })
  }
})
