/**
 * A container that is being changed: what stays is taken over packed as it is, what is new is stored.
 */
import type { RandomAccess } from '../random-access.ts'
import type { Container } from './container.ts'
import type { ContainerParts } from './parts.ts'
import { packedAccess } from './zip-content.ts'
import { nameKey } from './zip-names.ts'
import { memoryPart, zipArchive } from './zip-writer.ts'
import type { ZipPart } from './zip-writer.ts'

export interface Draft {
  container: Container
  parts: ContainerParts
  /** new content by name; null: gone */
  changed: Map<string, Buffer | null>
}

/** The first name with this beginning and a number that nothing has yet. */
export function freeName({ container, changed }: Draft, start: string, end: string): string {
  const taken = new Set([...container.entries.map(({ name }) => name), ...changed.keys()].map(nameKey))
  for (let number = 1; ; number++) {
    const name = `${start}${String(number).padStart(3, '0')}${end}`
    if (!taken.has(nameKey(name))) return name
  }
}

/** @param at shown as the time of the entries */
export function writeDraft({ container, changed }: Draft, at: Date): RandomAccess {
  const kept = container.files.flatMap((file): ZipPart[] => {
    const bytes = changed.get(file.name)
    if (bytes === null) return []
    const { name, entry } = file
    if (bytes !== undefined) return [memoryPart(name, bytes)]
    const { method, crc32, size } = entry
    return [{ name, method, crc32, size, packed: packedAccess(container.source, file) }]
  })
  const known = new Set(container.files.map(({ name }) => name))
  const added = [...changed].flatMap(([name, bytes]) =>
    bytes === null || known.has(name) ? [] : [memoryPart(name, bytes)],
  )
  return zipArchive([...kept, ...added], at)
}
