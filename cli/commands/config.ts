/** `amtsbote config example|check`: the documented default, and whether a file is right. */
import { Command } from 'commander'
import { checkConfigFiles } from '../config-files.ts'
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
    .description('say whether the configuration is right and whether the files that it names can be used')
    .action(() => {
      const { config, output } = context()
      const read = config()
      checkConfigFiles(read)
      const { file, listen } = read
      output.say(`${file ?? 'the built-in configuration'} is right`, { file, listen, right: true })
    })
  return command
}
