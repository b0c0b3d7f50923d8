/** `amtsbote key …`: the master key (key-master.ts) and the keys that sign (key-signing.ts). */
import { Command } from 'commander'
import type { Context } from '../context.ts'
import { addMasterKeyCommands } from './key-master.ts'
import { addSigningKeyCommands } from './key-signing.ts'

export function keyCommand(context: () => Context): Command {
  const command = new Command('key').description('the master key, its backup, and the keys that sign')
  addMasterKeyCommands(command, context)
  addSigningKeyCommands(command, context)
  return command
}
