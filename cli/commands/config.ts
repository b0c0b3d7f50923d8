/** `amtsbote config example|check`: the documented default, and whether a file is right. */
import { Command } from 'commander'
import { exampleConfig } from '../config-example.ts'
import type { Context } from '../context.ts'

export function configCommand(context: () => Context): Command {
  const command = new Command('config').description('print the documented default configuration, or check a file')
  command
    .command('example')
    .description('print the default configuration with every key described')
    .action(() => {
      const text = exampleConfig()
      context().output.say(text.trimEnd(), { example: text })
    })
  command
    .command('check')
    .description('read the configuration and say whether it is right')
    .action(() => {
      const { config, output } = context()
      const { file, listen } = config()
      output.say(`${file ?? 'the built-in configuration'} is right`, { file, listen, right: true })
    })
  return command
}
