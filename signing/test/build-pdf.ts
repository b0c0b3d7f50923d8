/**
 * Small PDFs of every structure, built for tests: classic table, cross-reference stream, hybrid, object streams,
 * several revisions. What a test wants to break, it breaks in the text of an object or in the bytes that come out.
 */
import { deflateSync } from 'node:zlib'

export interface Revision {
  /** number to what stands between `obj` and `endobj`; null frees the object */
  objects: Record<number, string | Buffer | null>
  style?: 'table' | 'stream' | 'hybrid'
  /** numbers that go into one object stream (styles stream and hybrid) */
  packed?: number[]
  /** further rows in the index of that stream, which name nothing */
  idleRows?: number
  /** predictor of the cross-reference stream: 1 none, 12 PNG Up, 14 PNG Paeth … as row filter type + 10 */
  predictor?: number
  /** further trailer entries, e.g. `/ID [<00><00>]` */
  trailer?: string
}

/** A document with one page; `extra` adds or replaces objects. 1 catalog, 2 pages, 3 page, 4 content. */
export function onePage(extra: Record<number, string | Buffer | null> = {}): Record<number, string | Buffer | null> {
  const text = 'BT /F1 12 Tf 72 720 Td (Bescheid) Tj ET'
  return {
    1: '<</Type/Catalog/Pages 2 0 R>>',
    2: '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    3: '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>',
    4: `<</Length ${text.length}>>\nstream\n${text}\nendstream`,
    5: '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>',
    ...extra,
  }
}

/** Writes the revisions one after the other; each becomes an incremental update of the one before. */
export function buildPdf(...revisions: Revision[]): Buffer {
  let bytes: Buffer = Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')
  let previous: number | null = null
  let size = 0
  for (const revision of revisions) {
    const numbers = Object.keys(revision.objects).map(Number)
    size = Math.max(size, ...numbers.map((n) => n + 1))
    const written = writeRevision(bytes, revision, { previous, size })
    bytes = written.bytes
    previous = written.start
    size = written.size
  }
  return bytes
}

/** One more revision behind a document that buildPdf made or that somebody signed. */
export function updatePdf(before: Buffer, revision: Revision): Buffer {
  const text = before.toString('latin1')
  const previous = Number(/startxref\s+(\d+)\s+%%EOF\s*$/.exec(text)?.[1])
  const sizes = [...text.matchAll(/\/Size (\d+)/g)].map(([, size]) => Number(size))
  const numbers = Object.keys(revision.objects).map((number) => Number(number) + 1)
  return writeRevision(before, revision, { previous, size: Math.max(...sizes, ...numbers) }).bytes
}

type Entry = { type: 0 } | { type: 1; offset: number } | { type: 2; stream: number; index: number }

interface Written {
  bytes: Buffer
  /** of the cross-reference section */
  start: number
  size: number
}

function writeRevision(before: Buffer, revision: Revision, at: { previous: number | null; size: number }): Written {
  const { style = 'table', predictor = 1, trailer = '' } = revision
  const { bytes, entries, size } = writeObjects(before, revision, at.size)
  const links = `/Root 1 0 R ${at.previous === null ? '' : `/Prev ${at.previous}`} ${trailer}`
  if (style === 'stream') return { ...appendStream(bytes, { entries, size, links, predictor }), size: size + 1 }
  const rows = new Map([...entries].filter(([, entry]) => entry.type !== 2))
  if (at.previous === null) rows.set(0, { type: 0 })
  if (style === 'table') return { ...appendTable(bytes, rows, `<</Size ${size} ${links}>>`), size }
  const hidden = new Map([...entries].filter(([, entry]) => entry.type === 2))
  for (const number of hidden.keys()) rows.set(number, { type: 0 })
  const beside = appendStream(bytes, { entries: hidden, size, links: '/Root 1 0 R', predictor, quiet: true })
  const dictionary = `<</Size ${size + 1} ${links} /XRefStm ${beside.start}>>`
  return { ...appendTable(beside.bytes, rows, dictionary), size: size + 1 }
}

function writeObjects(before: Buffer, { objects, packed = [], idleRows = 0 }: Revision, firstFree: number) {
  const entries = new Map<number, Entry>()
  const parts = [before]
  let at = before.length
  let size = firstFree
  const add = (number: number, body: string | Buffer): void => {
    entries.set(number, { type: 1, offset: at })
    const added = [Buffer.from(`${number} 0 obj\n`), Buffer.from(body as string, 'latin1'), END]
    parts.push(...added)
    at += added.reduce((sum, part) => sum + part.length, 0)
  }
  for (const [key, body] of Object.entries(objects)) {
    const number = Number(key)
    if (body === null) entries.set(number, { type: 0 })
    else if (!packed.includes(number)) add(number, body)
  }
  if (packed.length > 0) {
    const stream = size++
    add(
      stream,
      objectStream(
        packed.map((number) => [number, String(objects[number])]),
        idleRows,
      ),
    )
    packed.forEach((number, index) => entries.set(number, { type: 2, stream, index }))
  }
  return { bytes: Buffer.concat(parts), entries, size }
}

const END = Buffer.from('\nendobj\n')

function objectStream(items: [number, string][], idleRows: number): Buffer {
  let offset = 0
  const head = items.map(([number, body]) => {
    const place = `${number} ${offset}`
    offset += body.length + 1
    return place
  })
  const header = `${head.join(' ')}${' 0 0'.repeat(idleRows)}\n`
  const data = deflateSync(Buffer.from(header + items.map(([, body]) => body).join('\n'), 'latin1'))
  const dictionary = `<</Type/ObjStm/N ${items.length + idleRows}/First ${header.length}/Filter/FlateDecode/Length ${data.length}>>`
  return Buffer.concat([Buffer.from(`${dictionary}\nstream\n`), data, Buffer.from('\nendstream')])
}

function appendTable(bytes: Buffer, entries: Map<number, Entry>, trailer: string): { bytes: Buffer; start: number } {
  const rows = [...entries]
    .sort(([a], [b]) => a - b)
    .map(([number, entry]) => {
      const offset = String(entry.type === 1 ? entry.offset : 0).padStart(10, '0')
      const rest = entry.type === 1 ? '00000 n' : number === 0 ? '65535 f' : '00001 f'
      return `${number} 1\n${offset} ${rest}\r\n`
    })
  const text = `xref\n${rows.join('')}trailer\n${trailer}\nstartxref\n${bytes.length}\n%%EOF\n`
  return { bytes: Buffer.concat([bytes, Buffer.from(text, 'latin1')]), start: bytes.length }
}

interface StreamSection {
  entries: Map<number, Entry>
  size: number
  links: string
  predictor: number
  /** no startxref: the section beside a table */
  quiet?: boolean
}

function appendStream(bytes: Buffer, section: StreamSection): { bytes: Buffer; start: number } {
  const own = section.size
  const start = bytes.length
  const entries = [...section.entries, [own, { type: 1, offset: start }] as [number, Entry]].sort(([a], [b]) => a - b)
  const rows = entries.map(([, entry]) => {
    const row = Buffer.alloc(7)
    row[0] = entry.type
    row.writeUInt32BE(entry.type === 1 ? entry.offset : entry.type === 2 ? entry.stream : 0, 1)
    row.writeUInt16BE(entry.type === 2 ? entry.index : 0, 5)
    return row
  })
  const data = deflateSync(section.predictor === 1 ? Buffer.concat(rows) : predict(rows, section.predictor - 10))
  const parameters = section.predictor === 1 ? '' : `/DecodeParms<</Predictor ${section.predictor}/Columns 7>>`
  const index = entries.map(([number]) => `${number} 1`).join(' ')
  const head = `${own} 0 obj\n<</Type/XRef/W[1 4 2]/Index[${index}]/Size ${own + 1} ${section.links} ${parameters}`
  const close = section.quiet === true ? '' : `startxref\n${start}\n%%EOF\n`
  return {
    start,
    bytes: Buffer.concat([
      bytes,
      Buffer.from(`${head}/Filter/FlateDecode/Length ${data.length}>>\nstream\n`),
      data,
      Buffer.from(`\nendstream\nendobj\n${close}`),
    ]),
  }
}

/** PNG row filters (ISO/IEC 15948 §9.2); 5 changes the filter with every row. */
function predict(rows: Buffer[], filter: number): Buffer {
  return Buffer.concat(
    rows.map((row, number) => {
      const kind = filter === 5 ? number % 5 : filter
      const above = rows[number - 1] ?? Buffer.alloc(row.length)
      const out = Buffer.alloc(row.length + 1)
      out[0] = kind
      row.forEach((byte, column) => {
        const left = row[column - 1] ?? 0
        const up = above[column] ?? 0
        const corner = above[column - 1] ?? 0
        const estimate = left + up - corner
        const distances = [left, up, corner].map((value) => Math.abs(estimate - value))
        const best = Math.min(...distances)
        const paeth = [left, up, corner][distances.indexOf(best)] ?? 0
        out[column + 1] = byte - ([0, left, up, (left + up) >> 1, paeth][kind] ?? 0)
      })
      return out
    }),
  )
}
