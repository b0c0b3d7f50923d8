/**
 * Where a mark is: as a person sees the page (turned by /Rotate, cut to the crop box), and as the page counts
 * (ISO 32000-2 §7.7.3.3, §12.5.5). All lengths in points.
 */
import { SigningError } from '../../errors.ts'
import type { PdfDocument } from '../document.ts'
import { array, number } from '../values.ts'
import type { PdfDictionary, PdfValue } from '../values.ts'

/** On the page as it is seen: from its left and lower edge, or beside one of its corners. */
export type MarkPlace =
  | { left: number; bottom: number; width: number; height: number }
  | { corner: 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right'; margin: number; width: number; height: number }

export interface PlacedMark {
  /** /Rect of the annotation */
  rect: PdfValue
  /** as seen */
  width: number
  height: number
  /** of the page, clockwise */
  rotation: Rotation
}

export type Rotation = 0 | 90 | 180 | 270

/** Corners of a box: left, bottom, right, top. */
type Box = [number, number, number, number]

/** @throws SigningError `signing/bad-mark` the place is not on the page; `signing/pdf-damaged` */
export async function placeOn(document: PdfDocument, page: PdfDictionary, place: MarkPlace): Promise<PlacedMark> {
  const rotation = await rotationOf(document, page)
  const crop = await visibleBox(document, page)
  const [across, up] = [crop[2] - crop[0], crop[3] - crop[1]]
  const isTurned = rotation === 90 || rotation === 270
  const seen = { width: isTurned ? up : across, height: isTurned ? across : up }
  const { width, height } = place
  const [left, bottom] = 'corner' in place ? cornerOf(place, seen) : [place.left, place.bottom]
  const isOnPage = left >= 0 && bottom >= 0 && left + width <= seen.width && bottom + height <= seen.height
  if (!isOnPage || !(width > 0 && height > 0)) throw new SigningError('signing/bad-mark', 'the mark is not on the page')
  const [x0, y0] = toPage(left, bottom, crop, rotation)
  const [x1, y1] = toPage(left + width, bottom + height, crop, rotation)
  const corners: Box = [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)]
  return { rect: array(...corners.map((value) => number(rounded(value)))), width, height, rotation }
}

/** In the rectangle of a field that is there. */
export async function placeIn(document: PdfDocument, widget: PdfDictionary): Promise<PlacedMark> {
  const entry = await document.resolve(widget.entries.get('Rect'))
  const [left, bottom, right, top] = await boxOf(document, entry)
  const page = await document.resolve(widget.entries.get('P'))
  const rotation = page.kind === 'dictionary' ? await rotationOf(document, page) : 0
  const [width, height] = [right - left, top - bottom]
  if (width < 1 || height < 1) throw new SigningError('signing/bad-mark', 'the field has no place for a mark')
  const isTurned = rotation === 90 || rotation === 270
  return { rect: entry, width: isTurned ? height : width, height: isTurned ? width : height, rotation }
}

/** §8.3.4: turns what is drawn back, so that it is upright where the page is turned. */
export function matrixOf(rotation: Rotation): PdfValue {
  const turns = { 0: [1, 0, 0, 1], 90: [0, 1, -1, 0], 180: [-1, 0, 0, -1], 270: [0, -1, 1, 0] }[rotation]
  return array(...[...turns, 0, 0].map(number))
}

function cornerOf(
  { corner, margin, width, height }: MarkPlace & { corner: string; margin: number },
  seen: { width: number; height: number },
): [number, number] {
  const left = corner.endsWith('left') ? margin : seen.width - margin - width
  return [left, corner.startsWith('bottom') ? margin : seen.height - margin - height]
}

/** From the page as seen to the page's own coordinates. */
function toPage(u: number, v: number, [left, bottom, right, top]: Box, rotation: Rotation): [number, number] {
  if (rotation === 90) return [right - v, bottom + u]
  if (rotation === 180) return [right - u, top - v]
  if (rotation === 270) return [left + v, top - u]
  return [left + u, bottom + v]
}

async function rotationOf(document: PdfDocument, page: PdfDictionary): Promise<Rotation> {
  const value = await inherited(document, page, 'Rotate')
  const degrees = value.kind === 'number' ? ((Number(value.text) % 360) + 360) % 360 : 0
  return ([0, 90, 180, 270] as const).find((known) => known === degrees) ?? 0
}

/** The crop box, as far as it is inside the media box. */
async function visibleBox(document: PdfDocument, page: PdfDictionary): Promise<Box> {
  const media = await boxOf(document, await inherited(document, page, 'MediaBox'))
  const entry = await inherited(document, page, 'CropBox')
  if (entry.kind === 'null') return media
  const crop = await boxOf(document, entry)
  const cut: Box = [
    Math.max(crop[0], media[0]),
    Math.max(crop[1], media[1]),
    Math.min(crop[2], media[2]),
    Math.min(crop[3], media[3]),
  ]
  return cut[2] > cut[0] && cut[3] > cut[1] ? cut : media
}

/** §7.7.3.4 */
async function inherited(document: PdfDocument, page: PdfDictionary, key: string): Promise<PdfValue> {
  let node: PdfValue = page
  for (let depth = 0; node.kind === 'dictionary' && depth < MAX_DEPTH; depth++) {
    const value = await document.resolve(node.entries.get(key))
    if (value.kind !== 'null') return value
    node = await document.resolve(node.entries.get('Parent'))
  }
  return { kind: 'null' }
}

/** §7.9.5: any two opposite corners. */
async function boxOf(document: PdfDocument, value: PdfValue): Promise<Box> {
  const numbers: number[] = []
  for (const item of value.kind === 'array' ? value.items : []) {
    const one = await document.resolve(item)
    numbers.push(one.kind === 'number' ? Number(one.text) : NaN)
  }
  const [a, b, c, d, ...more] = numbers
  if (
    a === undefined ||
    b === undefined ||
    c === undefined ||
    d === undefined ||
    more.length > 0 ||
    numbers.some(isNaN)
  ) {
    throw new SigningError('signing/pdf-damaged', 'a box of the page has no four numbers')
  }
  return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)]
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000
const MAX_DEPTH = 64
