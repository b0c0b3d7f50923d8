/**
 * Signs documents of every shape as a revision of its own: with entries and byte ranges that no honest program writes.
 */
import { createHash } from 'node:crypto'
import { contentHash, signDigest } from '../../cms/signed-data.ts'
import { buildPdf, updatePdf } from '../build-pdf.ts'
import type { Revision } from '../build-pdf.ts'
import { trialKey } from '../trial-key.ts'

export interface SignedRevision {
  objects: Revision['objects']
  /** number of the signature dictionary */
  signature: number
  /** further entries of it */
  entries?: string
  style?: Revision['style']
  /** changes the finished revision in place before it is signed */
  before?: (pdf: Buffer) => void
}

const ROOM = 8192
const RANGE = '/ByteRange [0 9999999999 9999999999 9999999999]'

/** The revision behind `before` (null: the first one), closed by a signature that covers everything. */
export async function signRevision(before: Buffer | null, revision: SignedRevision): Promise<Buffer> {
  const { signature, entries = '', style = 'table' } = revision
  const body = `<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:20261123100000Z)${RANGE}/Contents <${'0'.repeat(ROOM)}>${entries}>>`
  const next: Revision = { objects: { ...revision.objects, [signature]: body }, style }
  const pdf = before === null ? buildPdf(next) : updatePdf(before, next)
  const from = before?.length ?? 0
  const gapStart = pdf.indexOf('<000000', from)
  const gapEnd = gapStart + ROOM + 2
  const range = `/ByteRange [0 ${gapStart} ${gapEnd} ${pdf.length - gapEnd}]`
  pdf.write(range.padEnd(RANGE.length), pdf.indexOf(RANGE, from), 'latin1')
  revision.before?.(pdf)
  return refill(pdf, gapStart, gapEnd)
}

/** Signs what lies around the hole, which is from `gapStart` to `gapEnd`. */
async function refill(pdf: Buffer, gapStart: number, gapEnd: number): Promise<Buffer> {
  const { signing } = await trialKey()
  const digest = createHash(contentHash(signing))
    .update(pdf.subarray(0, gapStart))
    .update(pdf.subarray(gapEnd))
    .digest()
  const cms = await signDigest(digest, signing, null)
  pdf.write(cms.toString('hex'), gapStart + 1, 'latin1')
  return pdf
}

/** A page with text, image and form; a signature in field 20, dictionary 21. */
export function formDocument(extra: Revision['objects'] = {}): Revision['objects'] {
  const stream = (data: string, entries = ''): string =>
    `<<${entries}/Length ${data.length}>>\nstream\n${data}\nendstream`
  return {
    1: '<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[10 0 R 11 0 R 12 0 R 13 0 R 20 0 R]/SigFlags 3/DA(/F1 0 Tf)/DR<</Font<</F1 5 0 R>>>>>>>>',
    2: '<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>',
    3: '<</Type/Page/Parent 2 0 R/Contents 4 0 R/Annots[10 0 R 11 0 R 12 0 R 13 0 R 14 0 R 20 0 R]/Resources<</Font<</F1 5 0 R>>/XObject<</X1 6 0 R>>>>>>',
    4: stream('BT /F1 12 Tf 72 720 Td (Bescheid 100 EUR) Tj ET /X1 Do'),
    5: '<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding 7 0 R>>',
    6: stream('0 0 10 10 re f', '/Type/XObject/Subtype/Form/BBox[0 0 10 10]'),
    7: '<</Type/Encoding/BaseEncoding/WinAnsiEncoding>>',
    10: '<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/Rect[50 600 200 620]/F 4/P 3 0 R>>',
    11: '<</Type/Annot/Subtype/Widget/FT/Tx/T(betrag)/V(100)/Rect[50 560 200 580]/F 4/P 3 0 R/AP<</N 15 0 R>>>>',
    12: '<</Type/Annot/Subtype/Widget/FT/Btn/T(ja)/V/Off/AS/Off/Rect[50 520 60 530]/F 4/P 3 0 R/AP<</N<</Ja 16 0 R>>>>>>',
    13: '<</Type/Annot/Subtype/Widget/FT/Sig/T(Leer)/Rect[50 400 200 450]/F 4/P 3 0 R>>',
    14: '<</Type/Annot/Subtype/Square/IC[1 1 1]/Rect[50 700 250 740]/F 4/P 3 0 R>>',
    15: stream('BT /F1 12 Tf (100) Tj ET', '/Type/XObject/Subtype/Form/BBox[0 0 150 20]'),
    16: stream('0 0 10 10 re f', '/Type/XObject/Subtype/Form/BBox[0 0 10 10]'),
    20: '<</Type/Annot/Subtype/Widget/FT/Sig/T(Siegel)/V 21 0 R/Rect[0 0 0 0]/F 132/P 3 0 R>>',
    ...extra,
  }
}
