/** `amtsbote demo [file.pdf]`: plays the whole story against a temporary instance; exit code 3 when a step does not prove what it says. */
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { systemWorld } from '../compose.ts'
import type { Context } from '../context.ts'
import { onStage } from '../demo/stage.ts'
import { playStory } from '../demo/story.ts'
import { CliError } from '../errors.ts'

interface DemoOptions {
  size: number
  keep?: boolean
}

export function demoCommand(context: () => Context): Command {
  return new Command('demo')
    .description('play the whole story against a temporary instance, and say what it proved')
    .argument('[pdf]', 'the PDF to use (default: one is made)')
    .option('--size <MiB>', 'size of the large file that is made (MiB)', wholeNumber(1, 65_536), 96)
    .option('--keep', 'leave the temporary folder there')
    .action((pdf: string | undefined, options: DemoOptions) => demo(context(), pdf ?? null, options))
}

async function demo({ output }: Context, pdf: string | null, options: DemoOptions): Promise<void> {
  if (pdf !== null && !existsSync(pdf))
    throw new CliError('cli/usage', `${pdf} is not there; name an existing PDF, or none`)
  const world = systemWorld('error')
  await onStage({ output, world, keep: options.keep === true }, (stage) =>
    playStory(stage, { pdf, largeMiB: options.size }),
  )
  output.say('The story is proven.', { proven: true })
}
