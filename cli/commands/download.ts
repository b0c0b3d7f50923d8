/** `amtsbote download`: fetches a file of a room over HTTP and verifies its digest; goes on where an earlier run stopped. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { Command } from 'commander'
import { downloadFile } from '../client/download.ts'
import { interruptible } from '../client/interrupt.ts'
import { apiOf, withServer, type ServerOptions } from '../client/options.ts'
import { findRemoteFile, findRemoteRoom } from '../client/rooms.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { formatBytes } from '../output.ts'

interface DownloadOptions extends ServerOptions {
  room: string
  out?: string
  force?: boolean
}

export function downloadCommand(context: () => Context): Command {
  return withServer(new Command('download'))
    .description('fetch a file of a room of a server; a broken download goes on where it stopped')
    .argument('<file>', 'name or id of the file')
    .requiredOption('--room <room>', 'name or id of the room')
    .option('--out <path>', 'where to put it (default: its name, in this folder)')
    .option('--force', 'replace a file that is there')
    .action((file: string, options: DownloadOptions) => download(context(), file, options))
}

async function download(context: Context, name: string, options: DownloadOptions): Promise<void> {
  const { output } = context
  const api = apiOf(options)
  const room = await findRemoteRoom(api, options.room)
  const file = await findRemoteFile(api, room.id, { name, sha256: null })
  if (!file) throw new CliError('cli/not-found', 'there is no such file in this room')
  if (file.state !== 'released')
    throw new CliError('cli/server-refused', 'this file is not handed out yet; try again later')
  const target = options.out ?? safeName(file.name)
  if (existsSync(target) && options.force !== true) {
    throw new CliError('cli/usage', 'the target is there already; give another --out, or --force')
  }
  const bar = output.progress('download', file.size)
  const { id: fileId, size, sha256 } = file
  const advice = 'the same command goes on from there'
  const got = await interruptible({ output, bar, verb: 'received', advice }, (onProgress) =>
    downloadFile(api, { fileId, target, size, sha256, onProgress }),
  )
  output.say(`${target}  ${formatBytes(size)}  sha256 ${got.sha256}`, { target, fileId, size, ...got })
}

/** The name from the server as a name in this folder: no path, nothing hidden, nothing that is not shown. */
function safeName(name: string): string {
  const plain = path.basename(name.replaceAll('\\', '/')).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '_')
  return plain === '' || plain.startsWith('.') ? `_${plain}` : plain
}
