/**
 * The visible mark of a seal: logo and lines of text in a frame, drawn into the appearance of its field
 * (ISO 32000-2 §12.5.5). It is decoration, no evidence: it says who sealed, never that a seal is good.
 */
import { SigningError } from '../../errors.ts'
import { array, dictionary, name, number } from '../values.ts'
import type { PdfReference, PdfValue } from '../values.ts'
import { markFont } from './font.ts'
import type { MarkFont } from './font.ts'
import { CAL_GRAY, markImage } from './image.ts'
import type { MarkImage } from './image.ts'
import { matrixOf } from './place.ts'
import type { MarkPlace, PlacedMark } from './place.ts'

export interface SealMark {
  /** 1 is the first, and is meant when it is left out; a mark in a field is on the field's page */
  page?: number | 'last'
  /** left out: in the rectangle of the field that is filled */
  place?: MarkPlace
  /** PNG or JPEG, at most 4 MiB and 4 million pixels */
  logo?: Buffer
  /** at most 12 of 120 characters */
  lines: readonly string[]
}

/**
 * Draws the mark and adds its objects.
 *
 * @param transparency `flatten` where the document must not have any
 * @returns the form XObject for /AP
 * @throws SigningError `signing/bad-mark` the logo cannot be read, or the text does not fit at 6 points
 * @throws SigningError `signing/bad-text` too many lines, or characters without a glyph
 */
export async function drawMark(
  { logo, lines }: SealMark,
  placed: PlacedMark,
  transparency: 'keep' | 'flatten',
  add: (value: PdfValue, data?: Buffer) => PdfReference,
): Promise<PdfReference> {
  const texts = lines.map((line) => line.normalize('NFC'))
  if (texts.length > MAX_LINES || texts.some((line) => line.length > MAX_LINE || /\p{Cc}/u.test(line))) {
    throw new SigningError('signing/bad-text', `a mark has at most ${MAX_LINES} lines of ${MAX_LINE} characters`)
  }
  const { width, height, rotation } = placed
  const font = texts.length === 0 ? null : await markFont(texts)
  const image = logo === undefined ? null : await markImage(logo, transparency)
  const box = image === null ? null : logoBox(image, placed, font === null)
  const left = box === null ? PADDING : box.left + box.width + PADDING
  const drawing = [
    `/C0 CS 0.4 SC 0.5 w 0.25 0.25 ${text(width - 0.5)} ${text(height - 0.5)} re S`,
    box === null
      ? ''
      : `q ${text(box.width)} 0 0 ${text(box.height)} ${text(box.left)} ${text(box.bottom)} cm /Im Do Q`,
    font === null ? '' : drawLines(font, texts, { left, width: width - left - PADDING, height }),
  ]
  const resources = dictionary({
    ColorSpace: dictionary({ C0: CAL_GRAY }),
    ...(font === null ? {} : { Font: dictionary({ F: font.write(add) }) }),
    ...(image === null ? {} : { XObject: dictionary({ Im: image.write(add) }) }),
  })
  const form = dictionary({
    Type: name('XObject'),
    Subtype: name('Form'),
    BBox: array(number(0), number(0), number(width), number(height)),
    Matrix: matrixOf(rotation),
    Resources: resources,
  })
  return add(form, Buffer.from(`q ${drawing.filter((part) => part !== '').join('\n')}\nQ`, 'latin1'))
}

interface Box {
  left: number
  bottom: number
  width: number
  height: number
}

/** On the left, as large as the frame allows; beside text, at most two fifths of it. */
function logoBox(image: MarkImage, { width, height }: PlacedMark, isAlone: boolean): Box {
  const across = isAlone ? width - 2 * PADDING : width * 0.4 - PADDING
  const scale = Math.min(across / image.width, (height - 2 * PADDING) / image.height)
  if (scale <= 0) throw new SigningError('signing/bad-mark', 'the place has no room for the logo')
  const box = { width: image.width * scale, height: image.height * scale }
  return { ...box, left: isAlone ? (width - box.width) / 2 : PADDING, bottom: (height - box.height) / 2 }
}

/** The lines in the middle of the height, as large as fits. */
function drawLines(
  font: MarkFont,
  lines: readonly string[],
  { left, width, height }: { left: number; width: number; height: number },
): string {
  const widest = Math.max(...lines.map((line) => font.widthOf(line)))
  const size = Math.min(MAX_SIZE, width / widest, (height - 2 * PADDING) / (lines.length * LEADING))
  if (!(size >= MIN_SIZE)) {
    throw new SigningError('signing/bad-mark', `the text does not fit its place at ${MIN_SIZE} points`)
  }
  const top = (height + lines.length * LEADING * size) / 2
  const baseline = top - (LEADING - font.descent) * size
  const shown = lines.map((line, index) => `${index === 0 ? '' : 'T* '}${font.encode(line)} Tj`)
  const start = `/C0 cs 0 sc BT /F ${text(size)} Tf ${text(LEADING * size)} TL ${text(left)} ${text(baseline)} Td`
  return `${start}\n${shown.join('\n')}\nET`
}

const text = (value: number): string => String(Math.round(value * 1000) / 1000)

/** points */
const PADDING = 4
const [MIN_SIZE, MAX_SIZE] = [6, 10]
/** from line to line, in units of the font size */
const LEADING = 1.2
const MAX_LINES = 12
const MAX_LINE = 120
