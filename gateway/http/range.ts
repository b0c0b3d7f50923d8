/**
 * One byte range of a download (RFC 9110 §14).
 *
 * Several ranges in one request are answered with the whole file, which §14.2 allows: a multipart answer serves no
 * client of ours, and overlapping ranges are a way to make a server work.
 */

export type RangeAnswer =
  | { kind: 'whole' }
  /** `end` is exclusive */
  | { kind: 'part'; start: number; end: number }
  | { kind: 'unsatisfiable' }

/** What a Range header asks of a file of `size` bytes; a header that is not well-formed is ignored (§14.2). */
export function readRange(header: string, size: number): RangeAnswer {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header)
  if (match === null) return { kind: 'whole' }
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return { kind: 'whole' }
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', start: size - length, end: size }
  }
  const start = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  if (last !== '' && Number(last) < start) return { kind: 'whole' }
  return start >= size ? { kind: 'unsatisfiable' } : { kind: 'part', start, end }
}
