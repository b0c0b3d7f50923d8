/** PDFs that were made to fill the memory or the time of whoever reads them. */
import { deflateSync } from 'node:zlib'
import { buildPdf, onePage, updatePdf } from '../build-pdf.ts'
import type { Revision } from '../build-pdf.ts'
import type { HostileCase } from './hostile.worker.ts'
import { largeCertificates, twins, withCertificates } from './hostile-cms.ts'
import { formDocument, signRevision } from './signed-pdf.ts'

const catalog = (form: string): Record<number, string> => ({ 1: `<</Type/Catalog/Pages 2 0 R/AcroForm ${form}>>` })
const field = (name: number, more = ''): string => `<</FT/Sig/T(f${name})${more}>>`
const listOf = (numbers: readonly number[]): string => `[${numbers.map((number) => `${number} 0 R`).join(' ')}]`
const numbersFrom = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index)

/** One object stream with the form in it, which unpacks to so many bytes. */
function objectStreamBomb(bytes: number): Buffer {
  const objects = { ...onePage(catalog('6 0 R')), 6: `<</Fields[]/X(${'x'.repeat(bytes)})>>` }
  return buildPdf({ objects, style: 'stream', packed: [2, 3, 6] })
}

/** As many object streams, each with a field of the form in it that has this value. */
function objectStreams(count: number, { idleRows = 0, value = '0' }): Buffer {
  const numbers = numbersFrom(10, count)
  const first: Revision = { objects: onePage(catalog(`<</Fields${listOf(numbers)}>>`)), style: 'stream' }
  const later = numbers.map((number): Revision => ({
    objects: { [number]: field(number, `/X ${value}`) },
    style: 'stream',
    packed: [number],
    idleRows,
  }))
  return buildPdf(first, ...later)
}

/** A cross-reference stream whose rows unpack to so many bytes, `layers` deep, with a predictor. */
function xrefStreamBomb(bytes: number, predictor = 1, layers = 1): Buffer {
  const pdf = buildPdf({ objects: onePage(), style: 'stream' })
  const rows = Buffer.alloc(Math.floor(bytes / ROW) * ROW)
  if (predictor > 1) for (let at = 0; at < rows.length; at += ROW) rows[at] = predictor - 10
  let data: Buffer = rows
  for (let layer = 0; layer < layers; layer++) data = deflateSync(data, { level: 1 })
  const filter = `/Filter[${'/FlateDecode'.repeat(layers)}]`
  const parameters = predictor > 1 ? `/DecodeParms<</Predictor ${predictor}/Columns ${ROW - 1}>>` : ''
  const head = `99 0 obj\n<</Type/XRef/W[1 4 2]/Index[200 9]/Size 300/Root 1 0 R/Prev ${startOf(pdf)}${parameters}${filter}/Length ${data.length}>>\nstream\n`
  const end = `\nendstream\nendobj\nstartxref\n${pdf.length}\n%%EOF\n`
  return Buffer.concat([pdf, Buffer.from(head), data, Buffer.from(end)])
}

const ROW = 65

/** A chain of cross-reference streams, each of which unpacks to so many bytes. */
function xrefStreamChain(count: number, bytes: number): Buffer {
  const pdf = buildPdf({ objects: onePage(), style: 'stream' })
  const data = deflateSync(Buffer.alloc(bytes), { level: 1 })
  const parts = [pdf]
  let size = pdf.length
  let previous = startOf(pdf)
  for (let section = 0; section < count; section++) {
    const head = `99 0 obj\n<</Type/XRef/W[1 4 2]/Index[200 9]/Size 300/Root 1 0 R/Prev ${previous}/Filter/FlateDecode/Length ${data.length}>>\nstream\n`
    const end = `\nendstream\nendobj\nstartxref\n${size}\n%%EOF\n`
    previous = size
    parts.push(Buffer.from(head), data, Buffer.from(end))
    size += head.length + data.length + end.length
  }
  return Buffer.concat(parts)
}

/** Signed, and behind that so many revisions, each of which writes the same objects anew and larger. */
async function revisions(count: number, more: string): Promise<Buffer> {
  const objects = formDocument()
  const signed = await signRevision(null, { objects, signature: 21 })
  const parts: Buffer[] = [signed]
  let size = signed.length
  let previous = startOf(signed)
  const add = (text: string): void => {
    parts.push(Buffer.from(text, 'latin1'))
    size += text.length
  }
  for (let revision = 0; revision < count; revision++) {
    const rows = [3, 10, 11, 14].map((number) => {
      const row = `${number} 1\n${String(size).padStart(10, '0')} 00000 n\r\n`
      add(`${number} 0 obj\n${String(objects[number]).replace(/>>$/, `/X${revision} ${more}>>`)}\nendobj\n`)
      return row
    })
    const start = size
    add(`xref\n${rows.join('')}trailer\n<</Size 30/Root 1 0 R/Prev ${previous}>>\nstartxref\n${start}\n%%EOF\n`)
    previous = start
  }
  return Buffer.concat(parts)
}

/** Signed and then updated: so many further fields, each with this value, are written twice. */
async function largeValues(count: number, value: string): Promise<Buffer> {
  const numbers = numbersFrom(100, count)
  const fields = (text: string): Record<number, string> =>
    Object.fromEntries(numbers.map((number) => [number, field(number, `/X ${text}`)]))
  const form = String(formDocument()[1]).replace('20 0 R]', `20 0 R ${listOf(numbers).slice(1)}`)
  const signed = await signRevision(null, { objects: formDocument({ 1: form, ...fields(value) }), signature: 21 })
  return updatePdf(signed, { objects: fields(value) })
}

/** A tree of pages or fields that names so many children, `each` that many of them again. */
function wideTree(kind: 'fields' | 'pages', count: number): Buffer {
  const numbers = numbersFrom(1000, count)
  if (kind === 'fields') return buildPdf({ objects: onePage(catalog(`<</Fields${listOf(numbers)}>>`)) })
  return buildPdf({ objects: onePage({ 2: `<</Type/Pages/Kids${listOf([3, ...numbers])}/Count ${count}>>` }) })
}

/** Fields that are parents of each other's children: a tree of four levels where each node has all of the next one. */
function crossedFields(count: number): Buffer {
  const levels = [1000, 2000, 3000, 4000].map((first) => numbersFrom(first, count))
  const nodes = levels.flatMap((numbers, level) =>
    numbers.map((number): [number, string] => [number, field(number, `/Kids${listOf(levels[level + 1] ?? [])}`)]),
  )
  const objects = { ...onePage(catalog(`<</Fields${listOf(levels[0] ?? [])}>>`)), ...Object.fromEntries(nodes) }
  return buildPdf({ objects })
}

/** So many signature fields whose values have /Contents of that size; `shared`: it is one value. */
async function largeContents(count: number, bytes: number, shared: boolean): Promise<Buffer> {
  const numbers = numbersFrom(100, count)
  const value = (n: number): string =>
    `<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 9 ${9 + n} 9]/Contents<${'30'.repeat(bytes)}>>>`
  const values = numbers.slice(0, shared ? 1 : count).map((n): [number, string] => [n + 1000, value(n)])
  const fields = numbers.map((n): [number, string] => [n, field(n, `/V ${shared ? 1100 : n + 1000} 0 R`)])
  const form = `<</SigFlags 3/Fields${listOf(numbers)}>>`
  return Promise.resolve(
    buildPdf({ objects: { ...onePage(catalog(form)), ...Object.fromEntries([...fields, ...values]) } }),
  )
}

/** So many revisions, each closed by a signature with /Contents of that size that a range of its own leaves out. */
function signatureChain(count: number, contents: Buffer): Buffer {
  const hex = contents.toString('hex')
  const numbers = numbersFrom(100, count)
  const form = `<</SigFlags 3/Fields${listOf(numbers)}>>`
  const first = buildPdf({ objects: onePage(catalog(form)) })
  const parts: Buffer[] = [first]
  let size = first.length
  let previous = startOf(first)
  for (const number of numbers) {
    const begin = size
    const widget = `${number} 0 obj\n${field(number, `/V ${number + 1000} 0 R`)}\nendobj\n`
    const head = `${number + 1000} 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange `
    const gapStart = begin + widget.length + head.length + RANGE_BYTES + '/Contents '.length
    const gapEnd = gapStart + hex.length + 2
    const objectEnd = '>>\nendobj\n'
    const start = gapEnd + objectEnd.length
    const rows = [begin, begin + widget.length].map((at) => `${String(at).padStart(10, '0')} 00000 n\r\n`)
    const tail = `xref\n${number} 1\n${rows[0] ?? ''}${number + 1000} 1\n${rows[1] ?? ''}trailer\n<</Size 3000/Root 1 0 R/Prev ${previous}>>\nstartxref\n${start}\n%%EOF\n`
    const range = `[0 ${gapStart} ${gapEnd} ${objectEnd.length + tail.length}]`.padEnd(RANGE_BYTES)
    const text = `${widget}${head}${range}/Contents <${hex}>${objectEnd}${tail}`
    parts.push(Buffer.from(text, 'latin1'))
    size += text.length
    previous = start
  }
  return Buffer.concat(parts)
}

const RANGE_BYTES = 60

const startOf = (pdf: Buffer): number =>
  Number(/startxref\s+(\d+)\s+%%EOF\s*$/.exec(pdf.toString('latin1', pdf.length - 60))?.[1])

/** A form of so many fields that are all the same place: an object that goes on to the end of the document. */
function endlessObject(count: number, text: string): Buffer {
  const numbers = numbersFrom(10, count)
  const objects = Object.fromEntries(numbers.map((number) => [number, number === 10 ? `<</X ${text}` : null]))
  const pdf = buildPdf({ objects: { ...onePage(catalog(`<</Fields${listOf(numbers)}>>`)), ...objects } })
  const at = String(pdf.indexOf('10 0 obj')).padStart(10, '0')
  return Buffer.from(pdf.toString('latin1').replaceAll('0000000000 00001 f', `${at} 00000 n`), 'latin1')
}

const MIB = 1024 * 1024
const zeros = (count: number): string => `[${'0 '.repeat(count)}]`
const text = (bytes: number): string => `(${'x'.repeat(bytes)})`
const entries = (count: number): string =>
  `<<${numbersFrom(0, count)
    .map((key) => `/k${key} 0`)
    .join('')}>>`
const stream = (packed: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`<</Filter/FlateDecode/Length ${packed.length}>>\nstream\n`),
    packed,
    Buffer.from('\nendstream'),
  ])
const padded = (certificates: readonly Buffer[]): Buffer =>
  Buffer.concat([withCertificates(certificates), Buffer.alloc(1000)])

/** A security store with so many lists; `bodies` are the streams that are there. */
function store(count: number, bodies: readonly Buffer[]): Buffer {
  const form = `<</Type/Catalog/Pages 2 0 R/DSS<</CRLs${listOf(numbersFrom(1000, count))}>>>>`
  const streams = bodies.map((body, index): [number, Buffer] => [1000 + index, stream(body)])
  return buildPdf({ objects: { ...onePage({ 1: form }), ...Object.fromEntries(streams) } })
}

/** A page tree that names so many pages, changed after it was signed. */
async function changedPages(count: number): Promise<Buffer> {
  const pages = (said: number): string => `<</Type/Pages/Kids${listOf(numbersFrom(1000, count))}/Count ${said}>>`
  const signed = await signRevision(null, { objects: formDocument({ 2: pages(1) }), signature: 21 })
  return updatePdf(signed, { objects: { 2: pages(2) } })
}

/** Words that look like parts of a document, behind one that is whole. */
const words = (word: string, bytes: number): Buffer =>
  Buffer.concat([
    buildPdf({ objects: onePage() }),
    Buffer.from('/ByteRange /SubFilter '),
    Buffer.alloc(bytes, word),
    Buffer.from('startxref\n7\n%%EOF\n'),
  ])

export const PDF_CASES: Record<string, HostileCase> = {
  'nothing in it': { build: () => buildPdf({ objects: onePage() }) },
  'an object stream of 47 MiB': { build: () => objectStreamBomb(47 * MIB), always: true },
  'an object stream of 400 MiB': { build: () => objectStreamBomb(400 * MIB) },
  'to be sealed, an object stream of 47 MiB': { entry: 'seal', build: () => objectStreamBomb(47 * MIB) },
  'to be sealed, an object stream of 300 MiB': { entry: 'seal', build: () => objectStreamBomb(300 * MIB) },
  '31 object streams of 8 MiB': { build: () => objectStreams(31, { value: text(8 * MIB) }) },
  '300 object streams with 100,000 places': { build: () => objectStreams(300, { idleRows: 99_999 }), always: true },
  '150 object streams with arrays of 240,000': {
    build: () => objectStreams(150, { value: zeros(240_000) }),
    always: true,
  },
  '20 object streams with dictionaries of 120,000': { build: () => objectStreams(20, { value: entries(120_000) }) },
  'a cross-reference stream of 47 MiB, row for row by Paeth': {
    build: () => xrefStreamBomb(47 * MIB, 14),
  },
  'a cross-reference stream of 250 MiB': { build: () => xrefStreamBomb(250 * MIB) },
  'a cross-reference stream in two layers': { build: () => xrefStreamBomb(250 * MIB, 1, 2) },
  'to be sealed, a cross-reference stream of 47 MiB': { entry: 'seal', build: () => xrefStreamBomb(47 * MIB, 14) },
  '900 cross-reference streams of 250 kB': { build: () => xrefStreamChain(900, 260_000) },
  '990 revisions': { build: () => revisions(990, '0') },
  '990 revisions of large objects': { build: () => revisions(990, zeros(2000)), always: true },
  'to be sealed, 990 revisions': { entry: 'seal', build: () => revisions(990, '0') },
  '10 fields with arrays of 240,000': { build: () => largeValues(10, zeros(240_000)) },
  '40 fields with arrays of 240,000': { build: () => largeValues(40, zeros(240_000)) },
  '8 fields with 249,000 dictionaries': { build: () => largeValues(8, `[${'<<>>'.repeat(249_000)}]`), always: true },
  '20 fields with dictionaries of 120,000': { build: () => largeValues(20, entries(120_000)) },
  '11 fields with texts of 4 MiB': { build: () => largeValues(11, text(4 * MIB)) },
  '11 fields with 2 MiB in hexadecimal': { build: () => largeValues(11, `<${'00'.repeat(2 * MIB)}>`) },
  'a text without end, asked for 2,000 times': {
    build: () => endlessObject(2000, text(3 * MIB).slice(0, -1)),
    always: true,
  },
  'an array without end, asked for 2,000 times': { build: () => endlessObject(2000, zeros(240_000).slice(0, -1)) },
  '240,000 fields': { build: () => wideTree('fields', 240_000) },
  '240,000 pages': { build: () => wideTree('pages', 240_000) },
  '240,000 pages, another number of them after signing': { build: () => changedPages(240_000) },
  'to be sealed, 240,000 pages': { entry: 'seal', build: () => wideTree('pages', 240_000) },
  'fields that are children of all others': { build: () => crossedFields(900) },
  '240,000 lists in the security store, none of them there': { build: () => store(240_000, []) },
  '3 lists of 40 MiB in the security store': {
    build: () => store(3, Array<Buffer>(3).fill(deflateSync(Buffer.alloc(40 * MIB)))),
  },
  '100 signatures with 2 MiB': { build: () => largeContents(100, 2 * MIB, false) },
  '200 fields with one signature of 3.9 MiB': { build: () => largeContents(200, 3.9 * MIB, true) },
  '30 signatures with 1.7 MiB of certificates each': {
    build: () => signatureChain(30, padded(largeCertificates(7, 250_000))),
    always: true,
  },
  '150 signatures with 400 certificates each': { build: () => signatureChain(150, padded(twins(400))) },
  'half a million ends': { build: () => words('trailer\n', 4 * MIB) },
  'a million beginnings': { build: () => words('1 0 obj\n', 8 * MIB) },
  'three million byte ranges': { build: () => words('/ByteRange ', 30 * MIB) },
}
