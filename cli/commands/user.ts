/** `amtsbote user …`: accounts, invitations and API tokens. Links, codes and tokens are printed once and never stored. */
import { Command } from 'commander'
import { audienceArgument, levelArgument, roleArgument, wholeNumber } from '../arguments.ts'
import type { Context } from '../context.ts'
import { everyRow, findUnit, findUser } from '../lookup.ts'
import { invite, issueToken, type InviteOptions, type TokenOptions } from '../people.ts'
import type { Audience } from '../../policies/index.ts'

interface AddOptions {
  name?: string
  audience: Audience
  unit?: string
  admin?: boolean
}

export function userCommand(context: () => Context): Command {
  const command = new Command('user').description('accounts, invitations and API tokens')
  withPerson(command.command('add <address>').description('create an account without inviting the person yet'))
    .option('--admin', 'may administer the installation')
    .action((address: string, options: AddOptions) => add(context(), address, options))
  withPerson(
    command.command('invite <address>').description('print a one-time link, and the code where the level asks for one'),
  )
    .option(
      '--level <level>',
      'the level the person is invited to (default: the highest of --room and the rooms joined)',
      levelArgument,
    )
    .option('--room <room>', 'make the person a member of this room')
    .option('--role <role>', 'role in --room', roleArgument, 'contributor')
    .action((address: string, options: InviteOptions) => inviteAction(context(), address, options))
  command
    .command('token <address>')
    .description('print an API token for scripts, upload and download')
    .option('--label <text>', 'what it is for', 'command line')
    .option('--days <n>', 'how long it is good', wholeNumber(1, 366), 30)
    .action((address: string, options: TokenOptions) => tokenAction(context(), address, options))
  command
    .command('list')
    .description('list accounts')
    .action(() => list(context()))
  for (const verb of ['disable', 'enable', 'reset-totp', 'unlock'] as const) {
    command
      .command(`${verb} <address>`)
      .description(DESCRIPTIONS[verb])
      .action((address: string) => change(context(), address, verb))
  }
  return command
}

const DESCRIPTIONS = {
  disable: 'end all sessions and refuse further sign-ins',
  enable: 'let a disabled account sign in again',
  'reset-totp':
    'forget the second factor and end the sessions that had shown it; the person enrols a new one with a new invitation',
  unlock: 'forget failed attempts, so that the person may try again',
} as const

function withPerson(command: Command): Command {
  return command
    .option('--name <name>', 'name of the person (default: the address)')
    .option('--audience <audience>', 'staff or external', audienceArgument, 'external')
    .option('--unit <name>', 'unit the person belongs to')
}

function add(context: Context, address: string, options: AddOptions): Promise<void> {
  return context.withHouse(async ({ storage, operator }) => {
    const unitId = options.unit === undefined ? null : (await findUnit(storage, options.unit)).id
    const { audience, admin = false, name = address } = options
    const user = await storage.users.create({ email: address, name, audience, unitId, admin }, operator)
    context.output.say(user.id, user)
  })
}

function inviteAction(context: Context, address: string, options: InviteOptions): Promise<void> {
  return context.withHouse(async (house) => {
    const invitation = await invite(house, address, options)
    const lines = [`link: ${invitation.link}`, ...(invitation.code === null ? [] : [`code: ${invitation.code}`])]
    const advice = invitation.code === null ? '' : ' Send the code another way than the link, e.g. by telephone.'
    context.output.say(lines.join('\n'), invitation)
    context.output.remark(`Good until ${invitation.expiresAt.toISOString()}.${advice}`)
  })
}

function tokenAction(context: Context, address: string, options: TokenOptions): Promise<void> {
  return context.withHouse(async (house) => {
    const token = await issueToken(house, address, options)
    context.output.say(token.token, token)
    context.output.remark(`Good until ${token.expiresAt.toISOString()}. Keep it in a file that only you can read.`)
  })
}

function list(context: Context): Promise<void> {
  return context.withHouse(async ({ storage }) => {
    const users = await everyRow((page) => storage.users.list(page))
    context.output.table(users, [
      { title: 'ADDRESS', value: (user) => user.email },
      { title: 'NAME', value: (user) => user.name },
      { title: 'AUDIENCE', value: (user) => user.audience },
      { title: 'STATE', value: (user) => user.state },
      { title: 'ADMIN', value: (user) => user.admin },
      { title: 'TOTP', value: (user) => user.hasTotp },
      { title: 'ID', value: (user) => user.id },
    ])
  })
}

function change(context: Context, address: string, verb: keyof typeof DESCRIPTIONS): Promise<void> {
  return context.withHouse(async ({ storage, operator }) => {
    const { id } = await findUser(storage, address)
    switch (verb) {
      case 'disable':
        await storage.users.disable(id, operator)
        break
      case 'enable':
        await storage.users.enable(id, operator)
        break
      case 'reset-totp':
        await storage.users.removeTotp(id, operator)
        break
      case 'unlock':
        await storage.users.unlock(id, operator)
        break
    }
    const user = await storage.users.byId(id)
    context.output.say(user.state, user)
  })
}
