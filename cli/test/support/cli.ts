/** The command line in this process, on a temporary installation. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { systemWorld } from '../../compose.ts'
import { ensureSealKey, ensureTrialIdentities } from '../../first-start.ts'
import { run } from '../../main.ts'

export interface Ran {
  code: number
  out: string
  err: string
}

export interface Installation {
  folder: string
  config: string
  /** runs a command with this installation's configuration */
  cli: (...args: string[]) => Promise<Ran>
  /** runs it with --json and parses what it prints; throws when it fails */
  json: (...args: string[]) => Promise<unknown>
  file: (name: string, text: string) => string
  end: () => void
}

const { clock, random } = systemWorld('silent')
let made: Promise<string> | null = null

/**
 * Puts trial keys into the installation, made once for all tests of this process: making them takes seconds. Only what is about the first
 * start itself goes without.
 */
export async function giveKeys({ folder }: Installation): Promise<void> {
  made ??= (async () => {
    const once = mkdtempSync(path.join(os.tmpdir(), 'amtsbote-keys-'))
    process.once('exit', () => {
      rmSync(once, { recursive: true, force: true })
    })
    await Promise.all([ensureSealKey(once, { clock, random }), ensureTrialIdentities(once, { clock, random })])
    return once
  })()
  const target = path.join(folder, 'data', 'keys')
  mkdirSync(target, { recursive: true, mode: 0o700 })
  cpSync(await made, target, { recursive: true })
}

/** @param extra further lines of the configuration */
export function temporaryInstallation(extra: readonly string[] = []): Installation {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'amtsbote-cli-'))
  const config = path.join(folder, 'amtsbote.yaml')
  writeFileSync(config, ['dataFolder: data', 'listen: 127.0.0.1:0', 'logLevel: silent', ...extra].join('\n'))
  const cli = async (...args: string[]): Promise<Ran> => {
    const out: string[] = []
    const err: string[] = []
    const code = await run(['--config', config, ...args], {
      write: (text) => void out.push(text),
      remark: (text) => void err.push(text),
    })
    return { code, out: out.join(''), err: err.join('') }
  }
  return {
    folder,
    config,
    cli,
    json: async (...args) => {
      const { code, out, err } = await cli('--json', ...args)
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${err}`)
      return JSON.parse(out) as unknown
    },
    file: (name, text) => {
      const full = path.join(folder, name)
      writeFileSync(full, text)
      return full
    },
    end: () => {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
