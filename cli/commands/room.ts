/** `amtsbote room …`: data rooms, their members and files. No key material is ever printed. */
import { Command } from 'commander'
import { levelArgument, roleArgument } from '../arguments.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { everyRow, findRoom, findUnit, findUser } from '../lookup.ts'
import { formatBytes } from '../output.ts'
import { requireLevel, type Level, type Role } from '../../policies/index.ts'

export function roomCommand(context: () => Context): Command {
  const command = new Command('room').description('data rooms, their members and files')
  command
    .command('create <name>')
    .description('create a room with its key')
    .option(
      '--level <level>',
      'protection level: SB2, SB3 (default: the one that policies/levels.yaml names)',
      levelArgument,
    )
    .option('--unit <name>', 'unit it belongs to')
    .action((name: string, options: { level?: Level; unit?: string }) => create(context(), name, options))
  command
    .command('list')
    .description('list rooms')
    .option('--level <level>', 'only this protection level', levelArgument)
    .action((options: { level?: Level }) => list(context(), options))
  command
    .command('show <room>')
    .description('show a room and its members')
    .action((room: string) => show(context(), room))
  command
    .command('files <room>')
    .description('list the files of a room')
    .action((room: string) => files(context(), room))
  command
    .command('member <room> <address>')
    .description('add a member, or change the role')
    .option('--role <role>', 'reader, contributor or manager', roleArgument, 'contributor')
    .option('--remove', 'take the person out of the room')
    .action((room: string, address: string, options: { role: Role; remove?: boolean }) =>
      member(context(), { room, address, ...options }),
    )
  addStateCommands(command, context)
  return command
}

function addStateCommands(command: Command, context: () => Context): void {
  command
    .command('close <room>')
    .description('take nothing new from now on')
    .action((room: string) => changeState(context(), room, 'close'))
  command
    .command('reopen <room>')
    .description('take new files again')
    .action((room: string) => changeState(context(), room, 'reopen'))
  command
    .command('destroy-key <room>')
    .description('make everything in the room unreadable for ever')
    .requiredOption('--yes-for-ever', 'confirm that nobody needs the contents any more')
    .action((room: string) => changeState(context(), room, 'destroyKey'))
}

function create(context: Context, name: string, options: { level?: Level; unit?: string }): Promise<void> {
  return context.withHouse(async ({ storage, levels, operator }) => {
    const level = options.level ?? levels.defaultLevel
    requireLevel(levels, level)
    const unitId = options.unit === undefined ? null : (await findUnit(storage, options.unit)).id
    const room = await storage.rooms.create({ name, level, unitId }, operator)
    context.output.say(room.id, room)
  })
}

function list(context: Context, options: { level?: Level }): Promise<void> {
  return context.withHouse(async ({ storage }) => {
    const rooms = await everyRow((page) => storage.rooms.list({ ...page, ...options }))
    context.output.table(rooms, [
      { title: 'NAME', value: (room) => room.name },
      { title: 'LEVEL', value: (room) => room.level },
      { title: 'STATE', value: (room) => room.state },
      { title: 'ID', value: (room) => room.id },
    ])
  })
}

function show(context: Context, name: string): Promise<void> {
  return context.withHouse(async ({ storage }) => {
    const room = await findRoom(storage, name)
    const members = await everyRow((page) => storage.rooms.members(room.id, page))
    const { output } = context
    if (context.json) {
      output.say('', { ...room, members })
      return
    }
    output.say(`${room.id}  ${room.level}  ${room.state}`, room)
    output.table(members, [
      { title: 'MEMBER', value: (one) => one.email },
      { title: 'ROLE', value: (one) => one.role },
      { title: 'SINCE', value: (one) => one.addedAt.toISOString() },
    ])
  })
}

function files(context: Context, name: string): Promise<void> {
  return context.withHouse(async ({ storage }) => {
    const room = await findRoom(storage, name)
    const all = await everyRow((page) => storage.files.list(room.id, page))
    context.output.table(all, [
      { title: 'NAME', value: (file) => file.name },
      { title: 'SIZE', value: (file) => formatBytes(file.current.size) },
      { title: 'VERSION', value: (file) => file.current.number },
      { title: 'STATE', value: (file) => file.current.state },
      { title: 'SHA-256', value: (file) => file.current.sha256 },
      { title: 'ID', value: (file) => file.id },
    ])
  })
}

interface MemberChange {
  room: string
  address: string
  role: Role
  remove?: boolean
}

function member(context: Context, change: MemberChange): Promise<void> {
  return context.withHouse(async ({ storage, operator }) => {
    const room = await findRoom(storage, change.room)
    const user = await findUser(storage, change.address)
    if (change.remove === true) await storage.rooms.removeMember(room.id, user.id, operator)
    else await storage.rooms.addMember(room.id, user.id, change.role, operator)
    const role = change.remove === true ? null : change.role
    context.output.say(role === null ? 'removed' : `is ${role}`, { roomId: room.id, userId: user.id, role })
  })
}

function changeState(context: Context, name: string, verb: 'close' | 'reopen' | 'destroyKey'): Promise<void> {
  return context.withHouse(async ({ storage, operator }) => {
    const room = await findRoom(storage, name)
    if (room.state === 'destroyed') throw new CliError('cli/usage', 'the key of this room was destroyed; that is final')
    await storage.rooms[verb](room.id, operator)
    const changed = await storage.rooms.byId(room.id)
    context.output.say(changed.state, changed)
  })
}
