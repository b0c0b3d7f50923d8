/** `amtsbote upload`: sends a file into a room over HTTP, as an external would; goes on where an earlier run stopped. */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { Command } from 'commander'
import { interruptible } from '../client/interrupt.ts'
import { apiOf, withServer, type ServerOptions } from '../client/options.ts'
import { findRemoteFile, findRemoteRoom } from '../client/rooms.ts'
import { stateFileOf, uploadFile } from '../client/tus-upload.ts'
import type { Context } from '../context.ts'
import { sha256OfFile } from '../digest.ts'
import { CliError } from '../errors.ts'
import { formatBytes } from '../output.ts'

interface UploadOptions extends ServerOptions {
  room: string
  as?: string
  afresh?: boolean
}

export function uploadCommand(context: () => Context): Command {
  return withServer(new Command('upload'))
    .description('send a file into a room of a server; a broken upload goes on where it stopped')
    .argument('<file>', 'the file to send')
    .requiredOption('--room <room>', 'name or id of the room')
    .option('--as <name>', 'name in the room (default: the name of the file)')
    .option('--afresh', 'forget an earlier, unfinished upload of this file')
    .action((file: string, options: UploadOptions) => upload(context(), file, options))
}

async function upload(context: Context, file: string, options: UploadOptions): Promise<void> {
  const { output } = context
  const api = apiOf(options)
  const room = await findRemoteRoom(api, options.room)
  const name = options.as ?? path.basename(file)
  const stateFile = stateFileOf(file)
  if (options.afresh === true) await rm(stateFile, { force: true })
  const sha256 = await sha256OfFile(file)
  const bar = output.progress('upload', null)
  const again = options.afresh === true ? 'the same command without --afresh' : 'the same command'
  const advice = `${again} goes on from what the server has`
  const sent = await interruptible({ output, bar, verb: 'sent', advice }, (onProgress) =>
    uploadFile(api, { file, room: room.id, name, stateFile, onProgress }),
  )
  const stored = await findRemoteFile(api, room.id, { name, sha256 })
  if (!stored) {
    output.say(`${formatBytes(sent.size)} sent; the server is still working out the digest`, {
      ...sent,
      name,
      sha256,
      verified: false,
    })
    return
  }
  if (stored.sha256 !== sha256) {
    throw new CliError(
      'cli/check-failed',
      'the server has other bytes than this file; was the file changed meanwhile? Send it again with --afresh',
    )
  }
  output.say(`${stored.id}  ${formatBytes(sent.size)}  sha256 ${sha256}`, { ...sent, ...stored, verified: true })
}
