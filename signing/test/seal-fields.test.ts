/** Forms that are there already: empty fields, seed values, locks, certifications, earlier signatures. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SigningError, bufferAccess, sealPdf } from '../index.ts'
import type { SealRequest } from '../index.ts'
import { buildPdf, onePage } from './build-pdf.ts'
import { programsFor, run } from './programs.ts'
import { askPyHanko } from './support/pyhanko.ts'
import { NOW, seal, trialKey } from './trial-key.ts'
import { sealState } from './support/seal-state.ts'

const FIELD = '/Type/Annot/Subtype/Widget/FT/Sig/Rect[50 50 250 100]/P 3 0 R/F 4'

/** A form with a text field, and a signature field `Amt.Siegel` that holds `extra`. */
function withField(extra = '', form = '<</Fields[7 0 R 9 0 R]/DR<</Font<</F1 5 0 R>>>>/DA(/F1 0 Tf 0 g)>>'): Buffer {
  return buildPdf({
    objects: onePage({
      1: `<</Type/Catalog/Pages 2 0 R/AcroForm ${form}>>`,
      3: '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<>>/Annots 10 0 R>>',
      6: form,
      7: '<</T(Amt)/Kids[8 0 R]>>',
      8: `<<${FIELD}/T(Siegel)/Parent 7 0 R${extra}>>`,
      9: '<</Type/Annot/Subtype/Widget/FT/Tx/T(Name)/V(Erika)/Rect[50 120 250 140]/P 3 0 R/F 4>>',
      10: '[8 0 R 9 0 R]',
    }),
  })
}

const refusal =
  (code: string, message = /./) =>
  (error: unknown) =>
    error instanceof SigningError && error.code === code && message.test(error.message)

async function fieldOf(pdf: Buffer): Promise<string> {
  const check = await sealState(pdf)
  assert.equal(check.kind, 'intact')
  return check.field
}

describe('a seal in a form', () => {
  it('fills the empty field that it was asked for', async () => {
    for (const form of [undefined, '<</Fields[7 0 R]>>']) {
      const sealed = await seal(withField('', form), { field: 'Amt.Siegel' })
      assert.equal(await fieldOf(sealed), 'Amt.Siegel')
      const added = sealed.toString('latin1').slice(withField('', form).length)
      assert.match(added, /\n8 0 obj/)
      assert.doesNotMatch(added, /\n3 0 obj|\n10 0 obj/)
    }
  })

  it('keeps what else the form holds', async () => {
    const before = withField()
    const added = (await seal(before)).toString('latin1').slice(before.length)
    assert.match(added, /\/DR <<\/Font/)
    assert.match(added, /\/DA \(\/F1 0 Tf 0 g\)/)
    assert.doesNotMatch(added, /NeedAppearances/)
  })

  it('is refused a field that is not there, or signed already', async () => {
    await assert.rejects(seal(withField(), { field: 'Siegel' }), refusal('signing/field-unusable'))
    const sealed = await seal(withField(), { field: 'Amt.Siegel' })
    await assert.rejects(seal(sealed, { field: 'Amt.Siegel' }), refusal('signing/field-unusable'))
  })
})

describe('seed values of the field', () => {
  const cases: [name: string, seed: string, request: Partial<SealRequest>, refused: RegExp | null][] = [
    ['nothing required', '/SubFilter[/adbe.pkcs7.detached]/Reasons[(a)]', {}, null],
    ['our kind among others', '/Ff 2/SubFilter[/adbe.pkcs7.detached/ETSI.CAdES.detached]', {}, null],
    ['another kind only', '/Ff 2/SubFilter[/adbe.pkcs7.detached]', {}, /SubFilter/],
    ['another handler', '/Ff 1/Filter/Entrust.PPKEF', {}, /Filter/],
    ['our handler', '/Ff 1/Filter/Adobe.PPKLite', {}, null],
    ['a reason from the list', '/Ff 8/Reasons[(geprüft)(genehmigt)]', { reason: 'genehmigt' }, null],
    ['a reason from the list, but none given', '/Ff 8/Reasons[(genehmigt)]', {}, /reason/],
    ['no reason', '/Ff 8/Reasons[(.)]', {}, null],
    ['no reason, but one given', '/Ff 8/Reasons[(.)]', { reason: 'genehmigt' }, /reason/],
    ['our digest', '/Ff 64/DigestMethod[(SHA512)(SHA256)]', {}, null],
    ['another digest', '/Ff 64/DigestMethod[(SHA512)]', {}, /digest/],
    ['revocation data inside', '/Ff 32/AddRevInfo true', {}, /revocation/],
    ['a legal attestation', '/Ff 16/LegalAttestation[(x)]', {}, /legal/],
    ['something that nobody knows', '/Ff 512', {}, /unknown/],
    ['a time-stamp', '/TimeStamp<</URL(http://tsa.example)/Ff 1>>', {}, /time-stamp/],
    ['a time-stamp, if there is one', '/TimeStamp<</URL(http://tsa.example)>>', {}, null],
    ['an approval', '/MDP<</P 0>>', {}, null],
    ['an approval, but a certification asked for', '/MDP<</P 0>>', { certify: 'form-filling' }, /approval/],
    ['a certification', '/MDP<</P 2>>', { certify: 'form-filling' }, null],
    ['a certification, but an approval asked for', '/MDP<</P 2>>', {}, /certification/],
    ['a certificate with a key usage', '/Cert<</Ff 32/KeyUsage[(1)]>>', {}, /certificate/],
    ['somebody else', '/Cert<</Ff 1/Subject[<00>]>>', {}, /another certificate/],
  ]
  for (const [name, seed, request, refused] of cases) {
    it(`demand ${name}: ${refused === null ? 'sealed' : 'refused'}`, async () => {
      const sealing = seal(withField(`/SV<</Type/SV ${seed}>>`), { field: 'Amt.Siegel', ...request })
      if (refused === null) await fieldOf(await sealing)
      else await assert.rejects(sealing, refusal('signing/field-unusable', refused))
    })
  }

  it('demand our own certificate: sealed', async () => {
    const { certificate } = await trialKey()
    const seed = `/SV<</Cert<</Ff 1/Subject[<00><${certificate.toString('hex')}>]>>>>`
    await fieldOf(await seal(withField(seed), { field: 'Amt.Siegel' }))
  })
})

describe('locks', () => {
  it('of the field become part of the signature and bind the next ones', async () => {
    const locked = await seal(withField('/Lock<</Type/SigFieldLock/Action/Include/Fields[(Name)(Siegel1)]>>'), {
      field: 'Amt.Siegel',
    })
    assert.match(locked.toString('latin1'), /\/TransformMethod \/FieldMDP/)
    assert.equal(await fieldOf(await seal(locked)), 'Siegel2')
    const all = await seal(withField('/Lock<</Type/SigFieldLock/Action/All>>'), { field: 'Amt.Siegel' })
    await assert.rejects(seal(all), refusal('signing/pdf-locked'))
  })

  it('keep an empty field shut, also by the name of its parent', async () => {
    for (const lock of ['/Action/Include/Fields[(Amt)]', '/Action/Exclude/Fields[(Name)]', '/Action/All']) {
      const signature = `<</Type/Sig/Reference[<</TransformMethod/FieldMDP/TransformParams<<${lock}>>>>]>>`
      const pdf = withField('', `<</Fields[7 0 R<</FT/Sig/T(Alt)/V ${signature}>>]>>`)
      const sealing = seal(pdf, { field: 'Amt.Siegel', brokenSignatures: 'accept' })
      await assert.rejects(sealing, refusal('signing/pdf-locked'), lock)
    }
  })
})

describe('certification', () => {
  it('is the first signature or none', async () => {
    const certified = await seal(withField(), { certify: 'form-filling' })
    assert.match(certified.toString('latin1'), /\/Perms <<\/DocMDP \d+ 0 R>>/)
    await fieldOf(await seal(certified, { field: 'Amt.Siegel' }))
    await assert.rejects(seal(certified, { certify: 'form-filling' }), refusal('signing/pdf-locked', /first/))
    const approved = await seal(withField())
    await assert.rejects(seal(approved, { certify: 'form-filling' }), refusal('signing/pdf-locked', /first/))
  })
})

describe('an earlier signature that does not fit', () => {
  it('needs a confirmation, and is told of', async () => {
    const broken = await seal(buildPdf({ objects: onePage() }))
    broken.write('bescheid', broken.indexOf('Bescheid'), 'latin1')
    await assert.rejects(seal(broken), refusal('signing/signature-broken'))
    const { signing } = await trialKey()
    const sealed = await sealPdf(bufferAccess(broken), signing, { signedAt: NOW, brokenSignatures: 'accept' })
    assert.deepEqual(sealed.notices, ['earlier-signature-broken'])
  })

  it('usage rights stay, and are told of', async () => {
    const rights = '<</Type/Catalog/Pages 2 0 R/Perms<</UR3<</Type/Sig>>>>>>'
    const pdf = buildPdf({ objects: onePage({ 1: rights }) })
    const { signing } = await trialKey()
    const sealed = await sealPdf(bufferAccess(pdf), signing, { signedAt: NOW, certify: 'form-filling' })
    assert.deepEqual(sealed.notices, ['usage-rights'])
    const bytes = (await seal(pdf, { certify: 'form-filling' })).toString('latin1').slice(pdf.length)
    assert.match(bytes, /\/Perms <<\/UR3 <<\/Type \/Sig>>\/DocMDP \d+ 0 R>>/)
  })
})

describe('what other programs say about seals in forms', () => {
  if (!programsFor('seals in forms before pdfsig and qpdf', 'pdfsig', 'qpdf')) return
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'amtsbote-fields-'))
  })
  after(() => rm(folder, { recursive: true }))

  async function judge(pdf: Buffer, count: number): Promise<void> {
    const path = join(folder, 'sealed.pdf')
    await writeFile(path, pdf)
    const [poppler, structure] = await Promise.all([run('pdfsig', '-nocert', path), run('qpdf', '--check', path)])
    assert.equal(poppler.output.match(/Signature is Valid/g)?.length, count, poppler.output)
    assert.equal(structure.code, 0, structure.output)
    for (const { field, holds, changesAllowed } of (await askPyHanko(path)) ?? []) {
      assert.ok(holds && changesAllowed, `${field} before pyHanko`)
    }
  }

  it('they accept a filled field, a locked one, a certification, and more seals after it', async () => {
    const lock = '/Lock<</Type/SigFieldLock/Action/Include/Fields[(Name)]>>'
    const first = await seal(withField(lock), { field: 'Amt.Siegel', certify: 'form-filling' })
    await judge(first, 1)
    await judge(await seal(first), 2)
    await judge(await seal(await seal(withField()), { field: 'Amt.Siegel' }), 2)
  }).timeout(20_000)

  it('they accept seals on real documents: printed by Chromium, rewritten by qpdf', async () => {
    const chromium = await readFile(new URL('fixtures/chromium.pdf', import.meta.url))
    const [before, rewritten] = [join(folder, 'before.pdf'), join(folder, 'rewritten.pdf')]
    await writeFile(before, chromium)
    for (const options of [['--object-streams=generate'], ['--object-streams=disable'], ['--rotate=+90'], ['--qdf']]) {
      assert.equal((await run('qpdf', ...options, before, rewritten)).code, 0)
      const pdf = await readFile(rewritten)
      // without the last end of line
      for (const ending of [pdf, pdf.subarray(0, pdf.lastIndexOf('%%EOF') + 5)]) await judge(await seal(ending), 1)
    }
  }).timeout(40_000)
})
