/** Whom a command believes when it validates, at what time, and whether it may ask the network. */
import type { Command } from 'commander'
import { collect } from './arguments.ts'
import { signaturesOf } from './compose.ts'
import type { Context } from './context.ts'
import { CliError } from './errors.ts'
import { readCertificateFile } from './trust-certificates.ts'
import type { TrustAnchor, ValidationOptions } from '../signing/index.ts'

export interface TrustOptions {
  at?: Date
  anchor?: string[]
  offline?: boolean
}

export function addTrustOptions(command: Command): Command {
  return command
    .option('--at <time>', 'validate as of this time, e.g. 2026-03-01T12:00:00Z (default: now)', readTime)
    .option('--anchor <file>', 'trust these certificates too (PEM or DER; may be given again)', collect)
    .option('--offline', 'ask nobody; use what the document and this installation hold')
}

/** What this installation believes, and what the options add. */
export async function validationOptions(
  context: Context,
  { at, anchor = [], offline }: TrustOptions,
): Promise<Omit<ValidationOptions, 'detached' | 'password'>> {
  const options = await signaturesOf(context.config(), context.world).options(at ?? context.clock())
  const added: TrustAnchor[] = []
  for (const path of anchor) {
    for (const certificate of await readCertificateFile(path)) added.push({ certificate, source: 'command line' })
  }
  return {
    ...options,
    ...(offline === true ? { online: null } : {}),
    anchors: [...added, ...options.anchors],
  }
}

function readTime(text: string): Date {
  const time = new Date(text)
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime())) return time
  throw new CliError('cli/usage', 'write the time as 2026-03-01 or 2026-03-01T12:00:00Z')
}
