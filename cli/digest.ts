/** SHA-256 of files, in constant memory. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { CliError } from './errors.ts'

/** Hex; throws cli/usage when the file cannot be read. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash)
  } catch (error) {
    throw new CliError('cli/usage', `${file} cannot be read; check the path`, { cause: error })
  }
  return hash.digest('hex')
}
