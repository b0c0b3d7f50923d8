/** Passphrases: from a file, or asked for at the terminal without showing them. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { readSecret } from './config.ts'
import { CliError } from './errors.ts'

/** @param repeat asks twice, where a typing error would lock a person out */
export async function passphraseFrom(file: string | undefined, repeat: 'once' | 'twice'): Promise<string> {
  if (file !== undefined) return readSecret(file, '--passphrase-file')
  if (!process.stdin.isTTY)
    throw new CliError('cli/usage', 'there is no terminal to ask for the passphrase; give --passphrase-file')
  const first = await ask('Passphrase: ')
  if (repeat === 'twice' && (await ask('Once more: ')) !== first) {
    throw new CliError('cli/usage', 'the two passphrases are different; run the command again')
  }
  return first
}

function ask(question: string): Promise<string> {
  process.stderr.write(question)
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done()
    },
  })
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  return new Promise((resolve, reject) => {
    terminal.once('SIGINT', () => {
      terminal.close()
      process.stderr.write('\n')
      reject(new CliError('cli/usage', 'stopped'))
    })
    terminal.question('', (answer) => {
      terminal.close()
      process.stderr.write('\n')
      resolve(answer)
    })
  })
}
