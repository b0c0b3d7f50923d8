/** `amtsbote message …`: send files of rooms to a court, list what was sent and received, keep what arrived. */
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { collect, wholeNumber } from '../arguments.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { everyRow, findFile, findMailbox, findRoom } from '../lookup.ts'
import { formatBytes } from '../output.ts'
import { parseId } from '../../storage/index.ts'

interface SendOptions {
  from: string
  to: string
  subject: string
  room?: string
  file: string[]
}

interface ListOptions {
  mailbox?: string
  limit: number
}

export function messageCommand(context: () => Context): Command {
  const command = new Command('message').description('messages to and from courts')
  command
    .command('send')
    .description('queue a message; the running server sends it')
    .requiredOption('--from <mailbox>', 'own mailbox that sends')
    .requiredOption('--to <mailbox>', 'mailbox of the addressee')
    .requiredOption('--subject <text>', 'subject')
    .option('--room <room>', 'room that the files are in')
    .requiredOption('--file <file>', 'file to send, several times for several', collect)
    .action((options: SendOptions) => send(context(), options))
  command
    .command('list')
    .description('list messages, newest first')
    .option('--mailbox <mailbox>', 'only of this mailbox')
    .option('--limit <n>', 'how many', wholeNumber(1, 10_000), 100)
    .action((options: ListOptions) => list(context(), options))
  command
    .command('show <id>')
    .description('show a message with its files and receipts')
    .action((id: string) => show(context(), id))
  command
    .command('collect <mailbox>')
    .description('fetch what waits for an own mailbox now; the intermediary must be running')
    .action((name: string) => collectNow(context(), name))
  command
    .command('save <id> <folder>')
    .description('write the files of a message into a folder')
    .action((id: string, folder: string) => save(context(), id, folder))
  command
    .command('mailboxes')
    .description('list mailboxes')
    .action(() => mailboxes(context()))
  return command
}

function send(context: Context, options: SendOptions): Promise<void> {
  return context.withHouse(async ({ storage, mailbox, operator, openKeys }) => {
    await openKeys()
    const from = await findMailbox(storage, options.from)
    const to = await findMailbox(storage, options.to)
    const room = options.room === undefined ? null : await findRoom(storage, options.room)
    const files = []
    for (const name of options.file) files.push((await findFile(storage, room, name)).id)
    const message = await mailbox.send({ mailbox: from.id, to: to.address, subject: options.subject, files }, operator)
    context.output.say(`${message.id}  ${message.state}`, withoutBytes(message))
  })
}

function list(context: Context, options: ListOptions): Promise<void> {
  return context.withHouse(async ({ storage }) => {
    const of = options.mailbox === undefined ? {} : { mailboxId: (await findMailbox(storage, options.mailbox)).id }
    const messages = await everyRow((page) => storage.messages.list({ ...page, ...of }), options.limit)
    context.output.table(messages.map(withoutBytes), [
      { title: 'AT', value: (one) => one.createdAt.toISOString() },
      { title: 'WAY', value: (one) => one.direction },
      { title: 'STATE', value: (one) => one.state },
      { title: 'PARTNER', value: (one) => one.partner },
      { title: 'SUBJECT', value: (one) => one.subject },
      { title: 'FILES', value: (one) => one.attachments.length },
      { title: 'ID', value: (one) => one.id },
    ])
  })
}

function show(context: Context, id: string): Promise<void> {
  return context.withHouse(async ({ storage }) => {
    const message = await storage.messages.byId(parseId('message', id))
    const { output } = context
    if (context.json) {
      output.say('', withoutBytes(message))
      return
    }
    const receipts = `accepted ${message.acceptedAt?.toISOString() ?? '-'}, received ${message.receivedAt?.toISOString() ?? '-'}`
    output.say(`${message.direction}  ${message.state}  ${receipts}`, message)
    output.table(message.attachments, [
      { title: 'NAME', value: (one) => one.name },
      { title: 'SIZE', value: (one) => formatBytes(one.size) },
      { title: 'SHA-256', value: (one) => one.sha256 },
    ])
  })
}

function collectNow(context: Context, name: string): Promise<void> {
  return context.withHouse(async ({ storage, mailbox, openKeys }) => {
    await openKeys()
    const result = await mailbox.collect((await findMailbox(storage, name)).id)
    if (result.kind === 'emptied') {
      context.output.say(`${result.collected} collected`, result)
      return
    }
    throw new CliError('cli/unreachable', `collecting ended early (${result.reason}); is the intermediary running?`)
  })
}

function save(context: Context, id: string, folder: string): Promise<void> {
  return context.withHouse(async ({ storage }) => {
    const message = await storage.messages.byId(parseId('message', id))
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const written: string[] = []
    for (const [index, attachment] of message.attachments.entries()) {
      // The name comes from outside: only its harmless characters are used, and the number keeps names apart.
      const name = attachment.name.replace(/[^\p{L}\p{N}._ -]/gu, '_').slice(0, 120)
      const target = path.join(folder, `${String(index + 1).padStart(3, '0')}_${name}`)
      const { stream } = await storage.contents.open(attachment.contentId)
      try {
        await pipeline(stream, createWriteStream(target, { flags: 'wx', mode: 0o600 }))
      } catch (cause) {
        if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause
        throw new CliError('cli/usage', `${target} is there already; name another folder`, { cause })
      }
      written.push(target)
    }
    context.output.say(written.length === 0 ? 'this message has no files' : written.join('\n'), { written })
  })
}

function mailboxes(context: Context): Promise<void> {
  return context.withHouse(async ({ storage }) => {
    const all = await everyRow((page) => storage.mailboxes.list(page))
    const rows = all.map(({ cipherCertificate: _cipher, signatureCertificate: _signature, ...row }) => row)
    context.output.table(rows, [
      { title: 'NAME', value: (row) => row.name },
      { title: 'KIND', value: (row) => row.kind },
      { title: 'ADDRESS', value: (row) => row.address },
      { title: 'INTERMEDIARY', value: (row) => row.intermediary },
      { title: 'ID', value: (row) => row.id },
    ])
  })
}

/** A message without the wire bytes of its receipts, for the screen. */
function withoutBytes<T extends { receipt: Buffer | null; receptionReceipt: Buffer | null }>(message: T) {
  const { receipt, receptionReceipt, ...rest } = message
  return { ...rest, receiptBytes: receipt?.length ?? null, receptionReceiptBytes: receptionReceipt?.length ?? null }
}
