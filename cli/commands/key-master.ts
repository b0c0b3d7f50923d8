/** `amtsbote key rotate-master|backup|backup-check|restore`: the master key that contents are sealed under. No key is ever printed. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { restoreMasterKeysFrom } from '../compose.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { passphraseFrom } from '../passphrase.ts'

interface BackupOptions {
  out?: string
  passphraseFile?: string
  shares?: number
  threshold?: number
  outFolder?: string
}

interface OpenOptions {
  passphraseFile?: string
}

export function addMasterKeyCommands(command: Command, context: () => Context): void {
  command
    .command('rotate-master')
    .description('bring all keys under a new master key; contents are not touched, a running server goes on')
    .action(() => rotate(context()))
  command
    .command('backup')
    .description('write the master key under a passphrase, or split into shares of which k restore it')
    .option('--out <file>', 'file of a passphrase backup')
    .option('--passphrase-file <file>', 'file that holds the passphrase (default: ask)')
    .option('--shares <n>', 'how many shares', wholeNumber(2, 255))
    .option('--threshold <k>', 'how many of them restore the key', wholeNumber(2, 255))
    .option('--out-folder <folder>', 'folder for the shares')
    .action((options: BackupOptions) => backup(context(), options))
  command
    .command('backup-check <files...>')
    .description('prove that a backup of the master key (or k shares of it) opens and holds the current key')
    .option('--passphrase-file <file>', 'file that holds the passphrase (default: ask)')
    .action((files: string[], options: OpenOptions) => checkBackup(context(), files, options))
  command
    .command('restore <files...>')
    .description('put the master keys of a backup (or of k shares) into the keys folder')
    .option('--passphrase-file <file>', 'file that holds the passphrase (default: ask)')
    .action((files: string[], options: OpenOptions) => restore(context(), files, options))
}

function rotate(context: Context): Promise<void> {
  return context.withHouse(async ({ storage, operator }) => {
    const result = await storage.keys.rotateMaster(operator)
    context.output.say(
      `master key ${result.masterKeyId}, ${result.rewrapped} keys rewrapped, ${result.removed.length} old ones removed`,
      result,
    )
    context.output.remark(
      'Earlier backups do not hold this key: run `amtsbote key backup` and `amtsbote key backup-check` now.',
    )
  })
}

async function backup(context: Context, options: BackupOptions): Promise<void> {
  const written =
    options.shares === undefined
      ? await backupByPassphrase(context, options)
      : await backupByShares(context, options, options.shares)
  context.output.say(written.join('\n'), { written })
  context.output.remark('It counts once `amtsbote key backup-check` has opened it. Keep it apart from the data.')
}

async function backupByPassphrase(context: Context, options: BackupOptions): Promise<string[]> {
  const { out } = options
  if (out === undefined)
    throw new CliError('cli/usage', 'say where to: --out <file>, or --shares <n> --threshold <k> --out-folder <folder>')
  const passphrase = await passphraseFrom(options.passphraseFile, 'twice')
  const [text = ''] = await context.withHouse(({ storage, operator }) =>
    storage.keys.backup({ kind: 'passphrase', passphrase }, operator),
  )
  await writeNew(out, text)
  return [out]
}

async function backupByShares(context: Context, options: BackupOptions, shares: number): Promise<string[]> {
  const { threshold, outFolder } = options
  if (threshold === undefined || outFolder === undefined)
    throw new CliError('cli/usage', '--shares needs --threshold <k> and --out-folder <folder>')
  if (threshold > shares) throw new CliError('cli/usage', `--threshold ${threshold} is more than --shares ${shares}`)
  const texts = await context.withHouse(({ storage, operator }) =>
    storage.keys.backup({ kind: 'shares', shares, threshold }, operator),
  )
  await mkdir(outFolder, { recursive: true, mode: 0o700 })
  const written: string[] = []
  for (const [index, text] of texts.entries()) {
    const file = path.join(outFolder, `share-${index + 1}-of-${shares}.txt`)
    await writeNew(file, text)
    written.push(file)
  }
  return written
}

function checkBackup(context: Context, files: readonly string[], options: OpenOptions): Promise<void> {
  return context.withHouse(async ({ storage, operator }) => {
    const { texts, passphrase } = await opening(files, options)
    const verdict = await storage.keys.verifyBackup(texts, passphrase, operator)
    if (verdict === 'good') context.output.say('the backup opens and holds the current master key', { verdict })
    else
      throw new CliError(
        'cli/check-failed',
        'the backup opens, but does not hold the current master key; make a new one with `amtsbote key backup`',
      )
  })
}

async function restore(context: Context, files: readonly string[], options: OpenOptions): Promise<void> {
  const { texts, passphrase } = await opening(files, options)
  const restored = await restoreMasterKeysFrom(context.config(), texts, passphrase)
  const said = restored.length === 0 ? 'all keys of this backup were there already' : `restored ${restored.join(', ')}`
  context.output.say(said, { restored })
}

async function opening(
  files: readonly string[],
  options: OpenOptions,
): Promise<{ texts: string[]; passphrase: string | null }> {
  const texts: string[] = []
  for (const file of files) {
    try {
      texts.push(await readFile(file, 'utf8'))
    } catch (error) {
      throw new CliError('cli/usage', `${file} cannot be read; check the path`, { cause: error })
    }
  }
  const areShares = texts[0]?.includes('"amtsbote-key-share/') === true
  return { texts, passphrase: areShares ? null : await passphraseFrom(options.passphraseFile, 'once') }
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    throw new CliError('cli/usage', `${file} cannot be written, or is there already; choose another name`, {
      cause: error,
    })
  }
}
