/**
 * The simple report as one page for the file (PDF/A-3b), with the whole report as JSON and ETSI XML attached.
 *
 * Made unsealed; whoever files it seals it. The same report gives the same bytes.
 */
import type { ValidationReport } from '../validation/report.ts'
import { etsiReport } from './etsi.ts'
import { FONT, INK, LABELS, MARGIN, SMALL, createPdf, drawLines, finishPdf, tagged, valueWidth } from './pdf-page.ts'
import type { Pdf } from './pdf-page.ts'
import { reportTexts, summarize } from './summary.ts'
import type { Block, ReportLanguage, Summary } from './summary.ts'

/** The page; blocks that do not fit are counted on it, failed ones come first and so are never among them unseen. */
export async function reportPdf(report: ValidationReport, language: ReportLanguage): Promise<Buffer> {
  const summary = summarize(report, language)
  const { producer, validationTime } = report
  const pdf = await createPdf({ title: summary.title, madeAt: new Date(validationTime), language, producer })
  attach(pdf, report)
  pdf.addPage()
  drawPage(pdf, summary)
  return finishPdf(pdf)
}

function attach(pdf: Pdf, report: ValidationReport): void {
  const at = new Date(report.validationTime)
  const options = { creationDate: at, modifiedDate: at, relationship: 'Data' }
  const json = Buffer.from(JSON.stringify(report, null, 1))
  pdf.file(json, { ...options, name: 'validation-report.json', type: 'application/json' })
  const xml = etsiReport(report)
  if (xml !== null) pdf.file(Buffer.from(xml), { ...options, name: 'validation-report.xml', type: 'application/xml' })
}

function drawPage(pdf: Pdf, summary: Summary): void {
  const texts = reportTexts(summary.language)
  tagged(pdf, 'H1', () => pdf.font(FONT.bold).fontSize(14).fillColor(INK).text(summary.title))
  pdf.moveDown(0.6)
  drawHeadline(pdf, summary)
  drawLines(pdf, summary.about)
  const blocks = [...summary.blocks].sort((a, b) => ORDER[a.mood] - ORDER[b.mood])
  const bottom = pdf.page.height - MARGIN - FOOTER
  let drawn = 0
  for (const block of blocks) {
    if (pdf.y + heightOf(pdf, block) > bottom) break
    drawBlock(pdf, block)
    drawn++
  }
  const notes = [
    ...(drawn < blocks.length ? [texts.pdf.further(blocks.length - drawn)] : []),
    ...summary.remarks.map((remark) => `! ${remark}`),
  ]
  pdf.moveDown(0.5)
  for (const note of notes) {
    if (pdf.y + SMALL * 2 > bottom) break
    paragraph(pdf, note)
  }
  pdf.y = pdf.page.height - MARGIN - FOOTER + SMALL
  paragraph(pdf, `${texts.pdf.attachments} ${summary.disclaimer}`)
}

/** The verdict in words on a tinted bar; the colour only repeats what the words say. */
function drawHeadline(pdf: Pdf, { headline }: Summary): void {
  const { x, y } = pdf
  const width = pdf.page.width - 2 * MARGIN
  tagged(pdf, 'P', () => {
    pdf.rect(x, y, width, BAR).fill(BAR_COLOUR[headline.kind])
    pdf
      .fillColor('#ffffff')
      .font(FONT.bold)
      .fontSize(13)
      .text(headline.title, x + 10, y + 8, { width: width - 20 })
    pdf
      .font(FONT.regular)
      .fontSize(SMALL)
      .text(headline.sentence, { width: width - 20 })
  })
  pdf.x = x
  pdf.y = y + BAR + 8
}

function drawBlock(pdf: Pdf, block: Block): void {
  pdf.moveDown(0.5)
  const title = `${SIGN[block.mood]} ${block.title}`
  tagged(pdf, 'H2', () => pdf.font(FONT.bold).fontSize(BODY).fillColor(INK).text(title, MARGIN))
  drawLines(pdf, block.lines)
}

function heightOf(pdf: Pdf, { lines }: Block): number {
  pdf.font(FONT.regular).fontSize(SMALL)
  const rows = lines.map(({ label, text }) =>
    Math.max(pdf.heightOfString(label, { width: LABELS }), pdf.heightOfString(text, { width: valueWidth(pdf) })),
  )
  return rows.reduce((sum, row) => sum + row, 3 * BODY)
}

function paragraph(pdf: Pdf, text: string): void {
  tagged(pdf, 'P', () =>
    pdf
      .font(FONT.regular)
      .fontSize(SMALL)
      .fillColor(INK)
      .text(text, MARGIN, pdf.y, { width: pdf.page.width - 2 * MARGIN }),
  )
}

const BAR = 48
const FOOTER = 40
const BODY = 10
const BAR_COLOUR = {
  valid: '#1b6e3c',
  'valid-with-remarks': '#6b5a00',
  undecided: '#8a4b00',
  invalid: '#a3121f',
  unsigned: '#4a4a4a',
} as const
const SIGN = { good: '✓', bad: '✗', open: '?' } as const
const ORDER = { bad: 0, open: 1, good: 2 } as const
