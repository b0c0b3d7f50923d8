/** Rooms and files of a server by what people type, over its JSON API. */
import { z } from 'zod'
import { CliError } from '../errors.ts'
import type { Api } from './api.ts'

const roomSchema = z.object({ id: z.uuid(), name: z.string(), level: z.string() })
const fileSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  state: z.string(),
  version: z.number(),
  size: z.number(),
  sha256: z.string().nullable(),
})

export type RemoteRoom = z.output<typeof roomSchema>
export type RemoteFile = z.output<typeof fileSchema>

/** The room of this name or id that the token's owner is a member of. */
export async function findRemoteRoom(api: Api, nameOrId: string): Promise<RemoteRoom> {
  const rooms = await everyItem(api, '/api/rooms', roomSchema)
  const room = rooms.find((one) => one.id === nameOrId) ?? rooms.find((one) => sameName(one.name, nameOrId))
  if (room) return room
  throw new CliError('cli/not-found', 'you are not a member of such a room on this server; check --room')
}

/** The file of this name; of several the one with the digest, else the newest. Null when there is none. */
export async function findRemoteFile(
  api: Api,
  roomId: string,
  wanted: { name: string; sha256: string | null },
): Promise<RemoteFile | null> {
  const files = await everyItem(api, `/api/rooms/${roomId}/files`, fileSchema)
  const named = files.filter((one) => sameName(one.name, wanted.name) || one.id === wanted.name)
  return named.find((one) => one.sha256 !== null && one.sha256 === wanted.sha256) ?? named.at(-1) ?? null
}

function sameName(a: string, b: string): boolean {
  return a.normalize('NFC') === b.normalize('NFC')
}

async function everyItem<T>(api: Api, path: string, schema: z.ZodType<T>): Promise<T[]> {
  const page = z.object({ items: z.array(schema), next: z.string().nullable() })
  const items: T[] = []
  let after: string | null = null
  do {
    const query: string = after === null ? '' : `?after=${encodeURIComponent(after)}`
    const answer: unknown = await api.json({ method: 'GET', path: `${path}${query}` })
    const parsed = page.safeParse(answer)
    if (!parsed.success)
      throw new CliError('cli/server-refused', 'the server answers in another way than Amtsbote does; check --server')
    items.push(...parsed.data.items)
    after = parsed.data.next
  } while (after !== null)
  return items
}
