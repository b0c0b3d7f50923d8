/**
 * YAML documents with line numbers: text in, checked value out, and every complaint names its line.
 * Used for the configuration and for `apply`. Reads no files.
 */
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { CliError } from './errors.ts'

export interface CheckedDocument<T> {
  value: T
  /** 1-based line of the value at this path, or of the nearest thing around it */
  lineOf: (path: readonly PropertyKey[]) => number
}

export interface DocumentSource {
  text: string
  /** how messages call the document, e.g. `city.yaml` */
  name: string
  code: 'cli/bad-config' | 'cli/bad-document'
}

/**
 * Parses strictly: an unknown or repeated key, a wrong type or value throws `source.code` with `name:line: what is wrong`, first complaint
 * first. An empty document is an empty mapping.
 */
export function checkDocument<T>(source: DocumentSource, schema: z.ZodType<T>): CheckedDocument<T> {
  const lines = new LineCounter()
  const document = parseDocument(source.text, { lineCounter: lines, uniqueKeys: true, strict: true, version: '1.2' })
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line)
  const refuse = (line: number, what: string): never => {
    throw new CliError(source.code, `${source.name}:${line}: ${what}`)
  }
  const fault = document.errors[0] ?? document.warnings[0]
  if (fault) refuse(lineAt(fault.pos[0]), firstLine(fault.message))
  const lineOf = (path: readonly PropertyKey[]): number => lineAt(offsetOf(document, path))
  const parsed = schema.safeParse(plainValue(document, source))
  if (parsed.success) return { value: parsed.data, lineOf }
  const complaints = parsed.error.issues.map((issue) => complaint(issue, lineOf))
  const first = complaints.toSorted((a, b) => a.line - b.line)[0] ?? { line: 1, what: 'is not as it should be' }
  return refuse(first.line, first.what)
}

function plainValue(document: Document, source: DocumentSource): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (error) {
    throw new CliError(source.code, `${source.name}:1: aliases cannot be resolved`, { cause: error })
  }
}

function complaint(
  issue: z.core.$ZodIssue,
  lineOf: (path: readonly PropertyKey[]) => number,
): { line: number; what: string } {
  const place = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    const where = place === '' ? '' : ` in ${place}`
    return { line: lineOf([...issue.path, key]), what: `unknown key "${key}"${where}; remove it or correct its name` }
  }
  return { line: lineOf(issue.path), what: `${place === '' ? 'the document' : place}: ${firstLine(issue.message)}` }
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.replace(/:$/, '') ?? ''
}

/** Offset of the key (in a mapping) or the value (in a list) that the path names; what is absent counts as its parent. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let offset = 0
  for (let length = 1; length <= path.length; length += 1) {
    const parent = document.getIn(path.slice(0, length - 1), true)
    const name = path[length - 1]
    const pair = isMap(parent)
      ? parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(name))
      : undefined
    const node = pair ? pair.key : document.getIn(path.slice(0, length), true)
    if (!isNode(node) || !node.range) break
    offset = node.range[0]
  }
  return offset
}
