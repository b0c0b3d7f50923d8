/** Options that upload and download share: the server, the token in a file, and where a one-time code comes from. */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { isInteractive } from '../config.ts'
import { CliError } from '../errors.ts'
import { createApi, type Api } from './api.ts'

export interface ServerOptions {
  server: string
  tokenFile: string
  totp?: string
}

const IDLE_MS = 60_000

export function withServer(command: Command): Command {
  return command
    .requiredOption('--server <url>', 'address of the server, e.g. https://austausch.example.de')
    .requiredOption('--token-file <file>', 'file that holds the token of `amtsbote user token`')
    .option('--totp <code>', 'current code of your authenticator app, where the room asks for one')
}

export function apiOf(options: ServerOptions): Api {
  const token = readToken(options.tokenFile)
  const headers = () => ({ authorization: `Bearer ${token}` })
  return createApi({ server: options.server, headers, code: codeSource(options.totp), idleMs: IDLE_MS })
}

function readToken(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new CliError('cli/usage', `${file} cannot be read; put the token of \`amtsbote user token\` into it`, {
      cause: error,
    })
  }
  if (/^[\w~+/.-]{20,200}=*$/.test(text)) return text
  throw new CliError('cli/usage', `${file} holds no token; put the output of \`amtsbote user token\` into it`)
}

function codeSource(given: string | undefined): (() => Promise<string>) | null {
  if (given !== undefined) return () => Promise.resolve(given)
  if (!isInteractive() || !process.stdin.isTTY) return null
  return async () => {
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    try {
      return (await terminal.question('Code of your authenticator app: ')).trim()
    } finally {
      terminal.close()
    }
  }
}
