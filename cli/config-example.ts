/** `amtsbote config example`: the documented default configuration, made from the schema so that it cannot fall behind. */
import { z } from 'zod'
import { configSchema, unwrap } from './config.ts'

/** A YAML text in which every key stands with its description and default; keys without a default are commented out. */
export function exampleConfig(): string {
  const head = [
    '# Amtsbote: configuration. Every key may be left out; what stands here is the default.',
    '# Relative paths count from the folder of this file. Secrets stand in files of their own (mode 0600).',
    '',
  ]
  return [...head, ...linesOfObject(configSchema, configSchema.parse({}), 0), ''].join('\n')
}

function linesOfObject(schema: z.ZodObject, value: Record<string, unknown>, depth: number): string[] {
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([key, member]) =>
    linesOfKey(key, member, value[key], depth),
  )
}

function linesOfKey(key: string, schema: z.ZodType, value: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth)
  const inner = unwrap(schema)
  const described = schema.description ?? inner.description
  const comment = described === undefined ? [] : [`${indent}# ${described}`]
  if (value === undefined) return [...comment, ...commentedOut(key, inner, depth)]
  if (inner instanceof z.ZodObject) {
    return [...comment, `${indent}${key}:`, ...linesOfObject(inner, value as Record<string, unknown>, depth + 1)]
  }
  if (inner instanceof z.ZodDiscriminatedUnion)
    return [...comment, `${indent}${key}:`, ...linesOfUnion(inner, value as Chosen, depth + 1)]
  return [...comment, `${indent}${key}: ${JSON.stringify(value)}`]
}

type Chosen = Record<string, unknown> & { kind: string }

function linesOfUnion(union: z.ZodDiscriminatedUnion, value: Chosen, depth: number): string[] {
  const kindOf = (one: z.ZodObject): unknown => (one.shape['kind'] as z.ZodLiteral).value
  return (union.options as z.ZodObject[]).flatMap((option) => {
    if (kindOf(option) === value.kind) return linesOfObject(option, value, depth)
    const shape = option.shape as Record<string, z.ZodType>
    const lines = Object.entries(shape).map(([key, member]) => {
      const sample: unknown = key === 'kind' ? kindOf(option) : member.safeParse(undefined).data
      const described = member.description ?? unwrap(member).description
      return `${key}: ${sample === undefined ? '…' : JSON.stringify(sample)}${described === undefined ? '' : `   # ${described}`}`
    })
    return ['or', ...lines].map((line) => `${'  '.repeat(depth)}# ${line}`)
  })
}

function commentedOut(key: string, inner: z.ZodType, depth: number): string[] {
  const indent = '  '.repeat(depth)
  if (!(inner instanceof z.ZodObject)) return [`${indent}# ${key}: …`]
  const shape: Record<string, z.ZodType> = inner.shape
  const members = Object.entries(shape)
  return [
    `${indent}# ${key}:`,
    ...members.map(([name, one]) => `${indent}#   ${name}: …   # ${one.description ?? unwrap(one).description ?? ''}`),
  ]
}
