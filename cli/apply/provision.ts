/**
 * Brings the rows in line with a provisioning document: creates what is missing, changes what differs, leaves alone what is not named.
 *
 * Everything happens in one transaction. A dry run does the very same and rolls back, so that what it prints is what would happen.
 */
import type { Levels } from '../../policies/index.ts'
import {
  isStorageError,
  type Actor,
  type NewMailbox,
  type RoomId,
  type Rows,
  type UnitId,
} from '../../storage/index.ts'
import { CliError } from '../errors.ts'
import type { MailboxEntry, Provisioning, RoomEntry, UserEntry } from './document.ts'

export interface Change {
  verb: 'create' | 'change'
  what: 'unit' | 'user' | 'room' | 'member' | 'mailbox'
  name: string
  /** fields that change; empty for a creation */
  fields: string[]
}

export interface ProvisionDeps {
  transact: <T>(work: (rows: Rows) => Promise<T>) => Promise<T>
  levels: Levels
  operator: Actor
  /** complains about the entry at this path */
  refuse: (path: readonly PropertyKey[], what: string) => CliError
  /** certificates of the mailbox entries, by name */
  certificates: ReadonlyMap<string, Pick<NewMailbox, 'cipherCertificate' | 'signatureCertificate'>>
}

class DryRun extends Error {}

/** @returns what was done, or would be done when `mode` is dry-run; throws cli/bad-document with the line of the first wrong entry */
export async function provision(
  document: Provisioning,
  mode: 'apply' | 'dry-run',
  deps: ProvisionDeps,
): Promise<Change[]> {
  let changes: Change[] = []
  try {
    await deps.transact(async (rows) => {
      changes = []
      const step = new Step(rows, deps, changes)
      for (const [index, unit] of document.units.entries()) await step.at(['units', index], () => step.unit(unit))
      for (const [index, user] of document.users.entries())
        await step.at(['users', index], () => step.user(user, ['users', index]))
      for (const [index, room] of document.rooms.entries())
        await step.at(['rooms', index], () => step.room(room, ['rooms', index]))
      for (const [index, box] of document.mailboxes.entries())
        await step.at(['mailboxes', index], () => step.mailbox(box, ['mailboxes', index]))
      if (mode === 'dry-run') throw new DryRun()
    })
  } catch (error) {
    if (!(error instanceof DryRun)) throw error
  }
  return changes
}

type Path = readonly (string | number)[]

class Step {
  readonly #rows: Rows
  readonly #deps: ProvisionDeps
  readonly #changes: Change[]

  constructor(rows: Rows, deps: ProvisionDeps, changes: Change[]) {
    this.#rows = rows
    this.#deps = deps
    this.#changes = changes
  }

  /** Runs one entry; a fault of its values is told with its line. */
  async at(path: Path, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (
        isStorageError(error, 'storage/bad-value') ||
        isStorageError(error, 'storage/already-exists') ||
        isStorageError(error, 'storage/wrong-state')
      ) {
        throw this.#deps.refuse(path, error.message)
      }
      throw error
    }
  }

  async unit({ name }: { name: string }): Promise<void> {
    if (await this.#rows.units.byName(name)) return
    await this.#rows.units.create({ name }, this.#deps.operator)
    this.#note('create', 'unit', name)
  }

  async user(entry: UserEntry, path: Path): Promise<void> {
    const { audience, admin } = entry
    const unitId = await this.#unitId(entry.unit, path)
    const present = await this.#rows.users.byEmail(entry.address)
    if (!present) {
      await this.#rows.users.create(
        { email: entry.address, name: entry.name ?? entry.address, audience, admin, unitId },
        this.#deps.operator,
      )
      this.#note('create', 'user', entry.address)
      return
    }
    const wanted = {
      audience,
      admin,
      ...(entry.name === undefined ? {} : { name: entry.name }),
      ...(entry.unit === undefined ? {} : { unitId }),
    }
    const patch = differing(present, wanted)
    if (patch === null) return
    await this.#rows.users.change(present.id, patch, this.#deps.operator)
    this.#note('change', 'user', entry.address, Object.keys(patch))
  }

  async room(entry: RoomEntry, path: Path): Promise<void> {
    const { rows, levels, operator } = { rows: this.#rows, ...this.#deps }
    if (entry.level !== undefined && !levels.byId.has(entry.level))
      throw this.#deps.refuse([...path, 'level'], `level ${entry.level} is not in force here`)
    const unitId = await this.#unitId(entry.unit, path)
    let room = await rows.rooms.byName(entry.name)
    if (!room) {
      room = await rows.rooms.create({ name: entry.name, level: entry.level ?? levels.defaultLevel, unitId }, operator)
      this.#note('create', 'room', entry.name)
    } else {
      const wanted = {
        ...(entry.level === undefined ? {} : { level: entry.level }),
        ...(entry.unit === undefined ? {} : { unitId }),
      }
      const patch = differing(room, wanted)
      if (patch) {
        await rows.rooms.change(room.id, patch, operator)
        this.#note('change', 'room', entry.name, Object.keys(patch))
      }
    }
    await this.#members(room.id, entry, path)
  }

  async mailbox(entry: MailboxEntry, path: Path): Promise<void> {
    const certificates = this.#deps.certificates.get(entry.name)
    if (!certificates) throw this.#deps.refuse(path, 'the certificates of this mailbox are missing')
    const unitId = await this.#unitId(entry.unit, path)
    const { name, address, kind, intermediary } = entry
    const wanted = {
      address,
      kind,
      intermediary,
      keyName: entry.kind === 'own' ? entry.keys : null,
      ...certificates,
      ...(entry.unit === undefined ? {} : { unitId }),
    }
    const present = await this.#rows.mailboxes.byName(name)
    if (!present) {
      await this.#rows.mailboxes.create({ name, ...wanted }, this.#deps.operator)
      this.#note('create', 'mailbox', name)
      return
    }
    const patch = differing(present, wanted)
    if (patch === null) return
    await this.#rows.mailboxes.change(present.id, patch, this.#deps.operator)
    this.#note('change', 'mailbox', name, Object.keys(patch))
  }

  async #members(roomId: RoomId, entry: RoomEntry, path: Path): Promise<void> {
    const { rooms, users } = this.#rows
    for (const [index, member] of entry.members.entries()) {
      const user = await users.byEmail(member.address)
      if (!user)
        throw this.#deps.refuse(
          [...path, 'members', index, 'address'],
          `there is no user ${member.address}; add it under users`,
        )
      const role = await rooms.roleOf(roomId, user.id)
      if (role === member.role) continue
      await rooms.addMember(roomId, user.id, member.role, this.#deps.operator)
      this.#note(
        role === null ? 'create' : 'change',
        'member',
        `${member.address} in ${entry.name}`,
        role === null ? [] : ['role'],
      )
    }
  }

  async #unitId(name: string | undefined, path: Path): Promise<UnitId | null> {
    if (name === undefined) return null
    const unit = await this.#rows.units.byName(name)
    if (!unit) throw this.#deps.refuse([...path, 'unit'], `there is no unit ${name}; add it under units`)
    return unit.id
  }

  #note(verb: Change['verb'], what: Change['what'], name: string, fields: string[] = []): void {
    this.#changes.push({ verb, what, name, fields })
  }
}

/** The wanted fields that differ from what is there; null when none does. */
function differing<W extends object>(present: object, wanted: W): Partial<W> | null {
  const there = present as Record<string, unknown>
  const entries = Object.entries(wanted).filter(([key, value]) => !isSame(there[key], value))
  return entries.length === 0 ? null : (Object.fromEntries(entries) as Partial<W>)
}

function isSame(a: unknown, b: unknown): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : a === b
}
