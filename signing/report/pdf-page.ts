/**
 * Pages for the file: PDF/A-3b with tags for screen readers, embedded letters of all European languages, no clock.
 *
 * A thin layer over the library that draws; it is loaded with the first page.
 */
import { createRequire } from 'node:module'

export type Pdf = PDFKit.PDFDocument

export interface PageOptions {
  title: string
  /** written as the time of creation; the same content and time give the same bytes */
  madeAt: Date
  language: 'de' | 'en'
  producer?: string
}

/** A document without a page yet. Read it with `finishPdf`. */
export async function createPdf({ title, madeAt, language, producer = 'amtsbote' }: PageOptions): Promise<Pdf> {
  const { default: PDFDocument } = await import('pdfkit')
  return new PDFDocument({
    ...{ size: 'A4', margin: MARGIN, pdfVersion: '1.7', subset: 'PDF/A-3b', tagged: true, lang: language },
    ...{ displayTitle: true, autoFirstPage: false, font: FONT.regular },
    info: { Title: title, Producer: producer, CreationDate: madeAt },
  })
}

/** Ends the document and returns its bytes. */
export async function finishPdf(pdf: Pdf): Promise<Buffer> {
  const chunks: Buffer[] = []
  pdf.on('data', (chunk: Buffer) => chunks.push(chunk))
  const finished = new Promise((resolve, reject) => pdf.once('end', resolve).once('error', reject))
  pdf.end()
  await finished
  return Buffer.concat(chunks)
}

/** Structure for screen readers around what `draw` puts on the page. */
export function tagged(pdf: Pdf, role: 'H1' | 'H2' | 'P', draw: () => unknown): void {
  const structure = pdf.struct(role, {}, () => void draw())
  pdf.addStructure(structure)
  structure.end()
}

/** Pairs of label and text, one below the other. */
export function drawLines(pdf: Pdf, lines: readonly { label: string; text: string }[]): void {
  for (const { label, text } of lines) {
    const { y } = pdf
    tagged(pdf, 'P', () => {
      pdf.font(FONT.regular).fontSize(SMALL).fillColor(QUIET).text(label, MARGIN, y, { width: LABELS })
      const below = pdf.y
      pdf.fillColor(INK).text(text, MARGIN + LABELS + 8, y, { width: valueWidth(pdf) })
      pdf.y = Math.max(below, pdf.y)
    })
  }
  pdf.x = MARGIN
}

export interface TablePage {
  title: string
  about: readonly { label: string; text: string }[]
  heads: readonly string[]
  rows: readonly (readonly string[])[]
}

/** A title, lines about it, and a table over as many pages as it takes; the heads stand on every page. */
export function drawTableRows(pdf: Pdf, { title, about, heads, rows }: TablePage): void {
  pdf.addPage()
  tagged(pdf, 'H1', () => pdf.font(FONT.bold).fontSize(14).fillColor(INK).text(title))
  pdf.moveDown(0.6)
  drawLines(pdf, about)
  pdf.moveDown(0.6)
  drawCells(pdf, heads, FONT.bold)
  for (const row of rows) {
    if (pdf.y + heightOf(pdf, row) > pdf.page.height - MARGIN) {
      pdf.addPage()
      drawCells(pdf, heads, FONT.bold)
    }
    drawCells(pdf, row, FONT.regular)
  }
}

function drawCells(pdf: Pdf, cells: readonly string[], font: string): void {
  const { y } = pdf
  const width = columnWidth(pdf, cells.length)
  const height = heightOf(pdf, cells)
  tagged(pdf, 'P', () => {
    pdf.font(font).fontSize(SMALL).fillColor(INK)
    for (const [index, cell] of cells.entries()) pdf.text(cell, MARGIN + index * (width + GAP), y, { width })
  })
  pdf.x = MARGIN
  pdf.y = y + height + 2
}

function heightOf(pdf: Pdf, cells: readonly string[]): number {
  const width = columnWidth(pdf, cells.length)
  pdf.font(FONT.regular).fontSize(SMALL)
  return Math.max(...cells.map((cell) => pdf.heightOfString(cell, { width })))
}

const columnWidth = (pdf: Pdf, columns: number): number => (pdf.page.width - 2 * MARGIN - (columns - 1) * GAP) / columns
/** Room for the texts of `drawLines`. */
export const valueWidth = (pdf: Pdf): number => pdf.page.width - 2 * MARGIN - LABELS - 8

const require = createRequire(import.meta.url)
export const FONT = {
  regular: require.resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf'),
  bold: require.resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf'),
}
/** points */
export const MARGIN = 48
export const LABELS = 150
export const SMALL = 8.5
export const INK = '#1a1a1a'
const QUIET = '#555555'
const GAP = 8
