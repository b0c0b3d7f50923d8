/** One line for people out of any error: what is wrong and what to do about it. Causes go to the log, never here. */
import { CliError } from './errors.ts'

const ADVICE: Readonly<Record<string, string>> = {
  'storage/wrong-key': 'restore the master key with `amtsbote key restore`, or set keysFolder to the right folder',
  'storage/key-absent': 'run `amtsbote key restore` with a backup, or set keysFolder to the right folder',
  'storage/backup-too-few-shares': 'name more of the share files, all of one backup',
  'storage/backup-damaged': 'use another copy of the backup or other shares',
  'storage/schema-newer': 'this program is older than the database: install the newer version',
  'storage/database-unavailable': 'check that the database runs and that `database` in the configuration is right',
  'storage/objects-unavailable':
    'check that the object store is reachable and that `objects` in the configuration is right',
  'storage/object-damaged': 'restore this object from a backup; `amtsbote doctor` lists what is damaged',
  'storage/object-absent': 'restore this object from a backup; `amtsbote doctor` lists what is missing',
  'storage/disk-full': 'make room on the disk, then try again',
  'storage/quota-exceeded': 'make room or raise the limit, then try again',
  'storage/backup-bad-passphrase': 'check the passphrase or the shares, then try again',
  'signing/trust-store-damaged':
    'restore `trust/lists` in the data folder from a backup, or remove it and run `amtsbote trust refresh`',
  'storage/already-exists': 'choose another, or change the one that is there',
  'storage/upload-locked': 'somebody else is sending to it; try again in a few seconds',
  'signing/key-not-qualified':
    'take a key with a qualified certificate, or set `seal: { allowAdvanced: true }` in the configuration',
  'signing/pin-refused':
    'correct the file that holds the PIN before anything is tried again: a few wrong PINs lock the token',
  'signing/key-unavailable': 'check `seal.key` in the configuration, and the token or service itself',
  'signing/not-a-pdf': 'only a PDF bears a seal; `amtsbote sign` signs other files',
  'gateway/not-configured': 'name a time-stamping authority in `signatures.timestampServices`, or seal at level B-B',
  EADDRINUSE: 'another program listens on this address: stop it, or set `listen` in the configuration',
  EACCES: 'check the permissions of the file or folder',
  ENOENT: 'check the path',
}

/** The stable code and the line to print. What is not one of our faults is `cli/internal`, with its message. */
export function describeError(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'cli/internal', message: 'something that is not an error was thrown' }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'cli/internal'
  const message = error.message.replaceAll(/\s*\n\s*/g, ' ')
  if (error instanceof CliError) return { code, message }
  const advice = ADVICE[code]
  return { code, message: advice === undefined ? message : `${message}: ${advice}` }
}
