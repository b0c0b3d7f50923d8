#!/usr/bin/env node
/** The command table. `amtsbote help` lists it; exit codes are in errors.ts. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command, CommanderError } from 'commander'
import { describeError } from './advice.ts'
import { isProgram, programVersion } from './config.ts'
import { createContext, type Context } from './context.ts'
import type { Streams } from './output.ts'
import { exitCodeOf } from './errors.ts'
import { applyCommand } from './commands/apply.ts'
import { auditCommand } from './commands/audit.ts'
import { configCommand } from './commands/config.ts'
import { courtFormCommand } from './commands/court-form.ts'
import { demoCommand } from './commands/demo.ts'
import { doctorCommand } from './commands/doctor.ts'
import { downloadCommand } from './commands/download.ts'
import { jobCommand } from './commands/job.ts'
import { keyCommand } from './commands/key.ts'
import { messageCommand } from './commands/message.ts'
import { migrateCommand } from './commands/migrate.ts'
import { roomCommand } from './commands/room.ts'
import { sealCommand } from './commands/seal.ts'
import { extendCommand } from './commands/extend.ts'
import { signCommand } from './commands/sign.ts'
import { timestampCommand } from './commands/timestamp.ts'
import { verifyCommand } from './commands/verify.ts'
import { serveCommand } from './commands/serve.ts'
import { trustCommand } from './commands/trust.ts'
import { unitCommand } from './commands/unit.ts'
import { uploadCommand } from './commands/upload.ts'
import { userCommand } from './commands/user.ts'

const COMMANDS: readonly ((context: () => Context) => Command)[] = [
  serveCommand,
  roomCommand,
  userCommand,
  unitCommand,
  applyCommand,
  keyCommand,
  uploadCommand,
  downloadCommand,
  sealCommand,
  signCommand,
  extendCommand,
  verifyCommand,
  courtFormCommand,
  timestampCommand,
  messageCommand,
  jobCommand,
  auditCommand,
  trustCommand,
  migrateCommand,
  doctorCommand,
  configCommand,
  demoCommand,
]

function createProgram(args: readonly string[], streams: Streams): Command {
  const program = new Command('amtsbote')
    .description('Secure document exchange and Behördenpostfach gateway')
    .version(programVersion(), '--version', 'print the version')
    .option('--config <file>', 'configuration file (default: $AMTSBOTE_CONFIG, ./amtsbote.yaml, built-in defaults)')
    .option('--json', 'answer in JSON')
    .showHelpAfterError('(amtsbote help shows the commands)')
    .exitOverride()
  const context = (): Context => createContext(program.opts(), streams)
  for (const make of COMMANDS) program.addCommand(make(context))
  inherit(program, args.includes('--json') ? { ...streams, remark: () => undefined } : streams)
  return program
}

/** @param streams what commander itself writes: help, and complaints about arguments, which --json gives as JSON instead */
function inherit(command: Command, streams: Streams): void {
  command.exitOverride().configureOutput({ writeOut: streams.write, writeErr: streams.remark })
  if (command.parent !== null) command.showHelpAfterError('(add --help to see the arguments)')
  for (const sub of command.commands) inherit(sub, streams)
}

const PROCESS_STREAMS: Streams = {
  write: (text) => void process.stdout.write(text),
  remark: (text) => void process.stderr.write(text),
}

/** Runs one command line (without `node` and the program) and returns the exit code. */
export async function run(args: readonly string[], streams: Streams = PROCESS_STREAMS): Promise<number> {
  const program = createProgram(args, streams)
  forgetVerdict()
  try {
    await program.parseAsync([...args], { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    const isUsage = error instanceof CommanderError
    if (isUsage && error.exitCode === 0) return 0
    const { code, message } = isUsage ? { code: 'cli/usage', message: wrongUsage(error) } : describeError(error)
    // commander has told people already
    if (args.includes('--json')) streams.remark(`${JSON.stringify({ error: { code, message } })}\n`)
    else if (!isUsage) streams.remark(`amtsbote: ${message}\n`)
    return isUsage ? 2 : exitCodeOf(error)
  }
}

function wrongUsage({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'name a command; --help shows which there are'
  return message
    .replace(/^error: /, '')
    .split('\n', 1)
    .join('')
}

/** A command whose answer is no sets the exit code. */
function forgetVerdict(): void {
  process.exitCode = 0
}

if (isProgram(realpathSync(fileURLToPath(import.meta.url)))) {
  // Databases, state files and downloads belong to this account alone.
  process.umask(0o077)
  process.exitCode = await run(process.argv.slice(2))
}
