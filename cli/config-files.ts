/** Whether the files that a configuration names can be used; what is right as text may still name a file that is gone. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Config } from './config.ts'
import { CliError } from './errors.ts'
import { SEAL_KEY } from './first-start.ts'
import { readLevels } from './levels.ts'
import { readTlsFiles } from './tls-files.ts'

/** Reads every one; throws cli/bad-config with the setting and the file of the first that is missing, unreadable, empty or wrong. */
export function checkConfigFiles(config: Config): void {
  if (config.tls) readTlsFiles(config.tls)
  for (const { setting, file } of namedFiles(config, '')) mustHold(file, setting)
  const { key } = config.seal
  if (key.kind === 'pkcs11') mustHold(key.module, 'seal.key.module')
  if (key.kind === 'pkcs12' && key.file !== undefined) {
    mustHold(key.file, 'seal.key.file')
    // the default is looked for only beside a file that was named: its own key is made with its passphrase
    if (key.passphraseFile === undefined)
      mustHold(path.join(config.keysFolder, `${SEAL_KEY}.passphrase`), 'seal.key.passphraseFile')
  }
  readLevels(config.levelsFile)
}

/** Every setting whose name ends in `File` is a file that has to be there. */
function namedFiles(value: unknown, at: string): { setting: string; file: string }[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const setting = Array.isArray(value) ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`
    return typeof inner === 'string' && key.endsWith('File') ? [{ setting, file: inner }] : namedFiles(inner, setting)
  })
}

function mustHold(file: string, setting: string): void {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    const what = `${setting}: ${file} cannot be read; create it, or correct the path or its permissions`
    throw new CliError('cli/bad-config', what, { cause })
  }
  if (bytes.toString('latin1').trim() === '') throw new CliError('cli/bad-config', `${setting}: ${file} is empty`)
}
