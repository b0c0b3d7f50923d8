/** Finds rows by what people type: a name, an address, an id. A miss is `cli/not-found` and says how to list what is there. */
import type { File, Mailbox, Page, PageRequest, Room, Rows, Unit, User } from '../storage/index.ts'
import { isStorageError, parseId } from '../storage/index.ts'
import { CliError } from './errors.ts'

export async function findUnit(rows: Rows, name: string): Promise<Unit> {
  return found(await rows.units.byName(name), 'unit', 'unit list')
}

export async function findUser(rows: Rows, addressOrId: string): Promise<User> {
  const user = addressOrId.includes('@')
    ? await rows.users.byEmail(addressOrId)
    : await byId(addressOrId, (text) => rows.users.byId(parseId('user', text)))
  return found(user, 'user', 'user list')
}

export async function findRoom(rows: Rows, nameOrId: string): Promise<Room> {
  const room =
    (await rows.rooms.byName(nameOrId)) ?? (await byId(nameOrId, (text) => rows.rooms.byId(parseId('room', text))))
  return found(room, 'room', 'room list')
}

/** A file of a room by its name, or any file by its id. */
export async function findFile(rows: Rows, room: Room | null, nameOrId: string): Promise<File> {
  const named = room ? await rows.files.byName(room.id, nameOrId) : null
  const file = named ?? (await byId(nameOrId, (text) => rows.files.byId(parseId('file', text))))
  return found(file, 'file', 'room files <room>')
}

export async function findMailbox(rows: Rows, nameOrId: string): Promise<Mailbox> {
  const named = await rows.mailboxes.byName(nameOrId)
  const mailbox = named ?? (await byId(nameOrId, (text) => rows.mailboxes.byId(parseId('mailbox', text))))
  return found(mailbox, 'mailbox', 'message mailboxes')
}

/** Every row of a listing, page after page, up to `most`. */
export async function everyRow<T>(read: (page: PageRequest) => Promise<Page<T>>, most = Infinity): Promise<T[]> {
  const rows: T[] = []
  let after: string | null = null
  do {
    const page: Page<T> = await read({ after, limit: Math.min(500, most - rows.length) })
    rows.push(...page.items)
    after = page.next
  } while (after !== null && rows.length < most)
  return rows
}

async function byId<T>(text: string, read: (text: string) => Promise<T>): Promise<T | null> {
  try {
    return await read(text)
  } catch (error) {
    if (isStorageError(error, 'storage/not-found') || isStorageError(error, 'storage/bad-id')) return null
    throw error
  }
}

function found<T>(row: T | null, what: string, listing: string): T {
  if (row === null) throw new CliError('cli/not-found', `no such ${what}; \`amtsbote ${listing}\` shows what there is`)
  return row
}
