/** `amtsbote key create|import|list|csr|check`: the keys that sign. Secrets come from files and are never printed. */
import type { Command } from 'commander'
import { oneOf } from '../arguments.ts'
import { sealKeyHttp } from '../compose.ts'
import type { Context } from '../context.ts'
import { createSigningKey, type CreateOptions } from '../create-key.ts'
import { CliError } from '../errors.ts'
import { importKey, type ImportOptions } from '../import-key.ts'
import { certificateRequest, type RequestOptions } from '../key-request.ts'
import { writeLocalFile } from '../local-file.ts'
import type { SealKeyDeps } from '../seal-key.ts'
import { listSigningKeys, checkSigningKey } from '../signing-keys.ts'
import { KEY_ALGORITHMS } from '../../signing/index.ts'

export function addSigningKeyCommands(command: Command, context: () => Context): void {
  command
    .command('create <name>')
    .description('make a key for trials: `ca` makes a trial authority, any other name a key that seals')
    .option(
      '--kind <kind>',
      'trial: others come from a trust service, see `key csr` and `key import`',
      oneOf(['trial']),
    )
    .option('--algorithm <algorithm>', KEY_ALGORITHMS.join(', '), oneOf(KEY_ALGORITHMS))
    .option('--common-name <text>', 'name in the certificate')
    .option('--organisation <text>', 'organisation in the certificate')
    .option('--issuer <name>', 'key of a trial authority that signs the certificate (default: ca, if there is one)')
    .option('--module <file>', 'make the key inside a token: shared library of the token')
    .option('--token <label>', 'label or serial number of the token')
    .option('--key-id <hex>', 'ID of the new key in the token')
    .option('--pin-file <file>', 'file that holds the PIN of the token')
    .action((name: string, options: CreateOptions) => create(context(), name, options))
  command
    .command('import <file>')
    .description('take a PKCS#12 file into the keys folder; or, as PEM, the certificate that a key there was given')
    .option('--name <name>', 'name in the keys folder', 'seal')
    .option('--passphrase-file <file>', 'file that holds the passphrase of the PKCS#12 file (default: ask)')
    .option('--alias <name>', 'friendly name of the key where the file holds several')
    .option('--replace', 'keep a key of that name under another one')
    .action((file: string, options: ImportOptions) => take(context(), file, options))
  command
    .command('list')
    .description('the keys of this installation: what they are by their certificates, and until when they may be used')
    .action(() => list(context()))
  command
    .command('csr [name]')
    .description('write a certificate request for a key (default: the seal key) to be sent to a trust service')
    .requiredOption('--common-name <text>', 'name of the holder')
    .requiredOption('--organisation <text>', 'organisation of the holder')
    .option('--country <code>', 'two letters', 'DE')
    .requiredOption('--out <file>', 'file for the request (PEM)')
    .action((name: string | undefined, options: RequestOptions & { out: string }) => request(context(), name, options))
  command
    .command('check')
    .description('make a signature with a key, verify it, and say what a seal would be')
    .argument('[name]', 'as `key list` has it (default: the seal key); for a backup see `key backup-check`')
    .action((name: string | undefined) => check(context(), name))
}

async function create(context: Context, name: string, options: CreateOptions): Promise<void> {
  const made = await createSigningKey(context.config(), context.world, { name, ...options })
  context.output.say(`${name}: ${made.algorithm}, trial, in ${made.where}`, made)
}

async function take(context: Context, file: string, options: ImportOptions): Promise<void> {
  const taken = await importKey(context.config(), context.world, { file, ...options })
  context.output.say(
    `${options.name}: ${taken.kind} by its certificate, of ${taken.holder}, until ${taken.until}`,
    taken,
  )
  if (taken.before !== null) context.output.remark(`the key that was there is kept as ${taken.before}`)
  if (taken.kind === 'advanced')
    context.output.remark('seals that are only advanced need `seal: { allowAdvanced: true }` in the configuration')
}

async function list(context: Context): Promise<void> {
  const keys = await listSigningKeys(depsOf(context))
  context.output.table(keys, [
    { title: 'NAME', value: (one) => one.name },
    { title: 'KIND', value: (one) => one.kind },
    { title: 'KEY', value: (one) => one.key },
    { title: 'HOLDER', value: (one) => one.holder },
    { title: 'VALID UNTIL', value: (one) => one.validUntil },
    { title: 'SUITABLE UNTIL', value: (one) => one.suitableUntil },
    { title: 'STATE', value: (one) => one.state },
  ])
}

async function request(
  context: Context,
  name: string | undefined,
  { out, ...options }: RequestOptions & { out: string },
): Promise<void> {
  const der = await certificateRequest(depsOf(context), name ?? null, options)
  const lines = der.toString('base64').replace(/.{1,64}/g, '$&\n')
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${lines}-----END CERTIFICATE REQUEST-----\n`
  await writeLocalFile(out, Buffer.from(pem, 'latin1'))
  context.output.say(out, { out })
}

async function check(context: Context, name: string | undefined): Promise<void> {
  const result = await checkSigningKey(depsOf(context), name ?? null)
  const { key, would } = result
  context.output.say(
    `${key.name}: signs (${result.algorithm}) and verifies; a seal would be ${would}; valid until ${key.validUntil}, suitable until ${key.suitableUntil}`,
    result,
  )
  if (result.usable) return
  throw new CliError('cli/check-failed', `this key must not seal: ${result.reason}`)
}

function depsOf(context: Context): SealKeyDeps {
  const config = context.config()
  return { config, world: context.world, http: sealKeyHttp(config) }
}
