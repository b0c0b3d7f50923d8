/**
 * Reads one stream object with its filters undone (ISO 32000-2 §7.3.8).
 */
import type { PdfDocument } from './document.ts'
import { unpackStream } from './filters.ts'
import { isObject, readObjectAt } from './objects.ts'
import { damaged, wholeNumber } from './values.ts'
import type { PdfReference } from './values.ts'

/**
 * @throws SigningError `signing/pdf-damaged` no stream is there, or it is cut off
 * @throws SigningError `signing/pdf-unsupported`, `signing/pdf-too-complex` its filters, or more bytes than the budget has
 */
export async function readStream(document: PdfDocument, wanted: PdfReference): Promise<Buffer> {
  const { source, xref, budget, encryption } = document
  const entry = await xref.find(wanted.number)
  if (entry.kind !== 'at' || entry.generation !== wanted.generation) throw damaged('a stream is not in the document')
  const object = await readObjectAt(source, entry.offset, budget)
  const { value, streamStart } = object
  if (!isObject(object, wanted) || value.kind !== 'dictionary' || streamStart === null) {
    throw damaged(`object ${wanted.number} is no stream`)
  }
  const length = wholeNumber(await document.resolve(value.entries.get('Length')))
  if (length === null || streamStart + length > source.size) throw damaged('a stream is cut off')
  budget.spendBytes(length)
  const raw = await source.read(streamStart, length)
  const data = encryption?.decryptStream(value, raw, wanted) ?? raw
  return value.entries.has('Filter') ? unpackStream(value, data, budget) : data
}
