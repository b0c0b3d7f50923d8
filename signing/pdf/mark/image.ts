/**
 * A logo as an image of the document (ISO 32000-2 §8.9.5): PNG with its transparency, or JPEG as it is.
 *
 * Colours are calibrated (CalRGB, CalGray with the white and gamma of sRGB), so that they mean the same without an output
 * intent; PDF/A wants that.
 */
import { deflateSync } from 'node:zlib'
import { SigningError } from '../../errors.ts'
import { array, dictionary, name, number } from '../values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from '../values.ts'

export interface MarkImage {
  /** pixels */
  width: number
  height: number
  /** Adds the image's objects; returns the image. */
  write(add: (value: PdfValue, data?: Buffer) => PdfReference): PdfReference
}

/**
 * @param transparency `flatten`: before white, where the document must not have any (PDF/A-1)
 * @throws SigningError `signing/bad-mark` neither PNG nor JPEG, damaged, or of more than 4 million pixels or 4 MiB
 */
export async function markImage(bytes: Buffer, transparency: 'keep' | 'flatten'): Promise<MarkImage> {
  if (bytes.length > MAX_BYTES) throw unusable('is larger than 4 MiB')
  if (bytes.subarray(0, 8).equals(PNG_SIGNATURE)) return readPng(bytes, transparency)
  if (bytes.subarray(0, 2).toString('hex') === 'ffd8') return readJpeg(bytes)
  throw unusable('is neither PNG nor JPEG')
}

async function readPng(bytes: Buffer, transparency: 'keep' | 'flatten'): Promise<MarkImage> {
  if (bytes.length < 33) throw unusable('is damaged')
  checkSize(bytes.readUInt32BE(16), bytes.readUInt32BE(20))
  const { PNG } = await import('pngjs')
  const { width, height, data } = unpack(() => PNG.sync.read(bytes))
  const colours = Buffer.alloc(width * height * 3)
  const alpha = Buffer.alloc(width * height)
  for (let pixel = 0; pixel < width * height; pixel++) {
    const opacity = data[pixel * 4 + 3] ?? 255
    alpha[pixel] = opacity
    for (let channel = 0; channel < 3; channel++) {
      const value = data[pixel * 4 + channel] ?? 0
      const flat = Math.round((value * opacity + 255 * (255 - opacity)) / 255)
      colours[pixel * 3 + channel] = transparency === 'flatten' ? flat : value
    }
  }
  const isOpaque = transparency === 'flatten' || alpha.every((value) => value === 255)
  return {
    width,
    height,
    write(add) {
      const packed = { Filter: name('FlateDecode') }
      const mask = (): PdfReference =>
        add(imageDictionary({ width, height }, name('DeviceGray'), packed), deflateSync(alpha))
      const more = isOpaque ? packed : { ...packed, SMask: mask() }
      return add(imageDictionary({ width, height }, CAL_RGB, more), deflateSync(colours))
    },
  }
}

function unpack<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw unusable('is damaged', cause)
  }
}

/** ITU-T T.81 annex B: segments up to the frame header, which says how large and of how many colours. */
function readJpeg(bytes: Buffer): MarkImage {
  for (let at = 2; at + 9 < bytes.length;) {
    const marker = bytes.readUInt16BE(at)
    if (marker < 0xffc0 || marker === 0xffff) throw unusable('is damaged')
    if (!FRAMES.has(marker)) {
      at += 2 + bytes.readUInt16BE(at + 2)
      continue
    }
    const [bits, height, width, colours] = [
      bytes[at + 4],
      bytes.readUInt16BE(at + 5),
      bytes.readUInt16BE(at + 7),
      bytes[at + 9],
    ]
    if (bits !== 8 || (colours !== 1 && colours !== 3)) throw unusable('is a JPEG of a kind that is not supported')
    checkSize(width, height)
    const space = colours === 1 ? CAL_GRAY : CAL_RGB
    return {
      width,
      height,
      write: (add) => add(imageDictionary({ width, height }, space, { Filter: name('DCTDecode') }), bytes),
    }
  }
  throw unusable('is damaged')
}

function imageDictionary(
  { width, height }: { width: number; height: number },
  space: PdfValue,
  more: Record<string, PdfValue>,
): PdfDictionary {
  return dictionary({
    Type: name('XObject'),
    Subtype: name('Image'),
    Width: number(width),
    Height: number(height),
    ColorSpace: space,
    BitsPerComponent: number(8),
    ...more,
  })
}

function checkSize(width: number, height: number): void {
  if (width < 1 || height < 1 || width * height > MAX_PIXELS) throw unusable('has more than 4 million pixels, or none')
}

function unusable(message: string, cause?: unknown): SigningError {
  return new SigningError('signing/bad-mark', `the logo ${message}`, { cause })
}

const numbers = (...values: number[]): PdfValue => array(...values.map(number))
const WHITE = numbers(0.9505, 1, 1.089)
/** §8.6.5.3 with the primaries of sRGB (IEC 61966-2-1) */
const CAL_RGB = array(
  name('CalRGB'),
  dictionary({
    WhitePoint: WHITE,
    Gamma: numbers(2.2, 2.2, 2.2),
    Matrix: numbers(0.4124, 0.2126, 0.0193, 0.3576, 0.7152, 0.1192, 0.1805, 0.0722, 0.9505),
  }),
)
export const CAL_GRAY = array(name('CalGray'), dictionary({ WhitePoint: WHITE, Gamma: number(2.2) }))

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
/** baseline, extended, progressive */
const FRAMES = new Set([0xffc0, 0xffc1, 0xffc2])
const MAX_PIXELS = 4_000_000
const MAX_BYTES = 4 * 1024 * 1024
