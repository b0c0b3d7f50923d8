/** `amtsbote doctor`: is everything in order? Exit code 3 when something failed. `--remove` removes objects that no row names. */
import { Command } from 'commander'
import { examine, examineWithout, type Finding } from '../doctor/checks.ts'
import type { House } from '../compose.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { formatBytes } from '../output.ts'

export function doctorCommand(context: () => Context): Command {
  return new Command('doctor')
    .description('check database, clock, keys, certificates, trusted lists, queue, jobs and leftovers')
    .option('--remove', 'remove objects that no row names and that are older than any upload may be')
    .action((options: { remove?: boolean }) => doctor(context(), options.remove === true))
}

async function doctor(context: Context, remove: boolean): Promise<void> {
  const findings = await findingsOf(context, remove)
  context.output.table(findings, [
    { title: 'CHECK', value: (one) => one.check },
    { title: 'STATE', value: (one) => one.state },
    { title: 'DETAIL', value: (one) => one.detail },
  ])
  const failed = findings.filter((one) => one.state === 'failed')
  if (failed.length > 0)
    throw new CliError(
      'cli/check-failed',
      `${failed.length} of ${findings.length} checks failed; the table says what to do`,
    )
}

async function findingsOf(context: Context, remove: boolean): Promise<Finding[]> {
  const config = context.config()
  try {
    return await context.withHouse((house) => examine(house, () => leftovers(house, remove)))
  } catch (error) {
    if (error instanceof CliError) throw error
    return examineWithout({ config, world: context.world }, error)
  }
}

/** Twice the time that an upload may rest: what is younger may still get its row. */
async function leftovers({ storage, config, world }: House, remove: boolean): Promise<Finding[]> {
  const olderThan = new Date(world.clock().getTime() - 2 * config.limits.uploadExpiryHours * 3_600_000)
  const report = await storage.leftovers.find(olderThan)
  const bytes = report.objects.reduce((sum, one) => sum + one.size, 0)
  const found = report.objects.length + report.unfinished.length
  const removed = remove && found > 0 ? await storage.leftovers.remove(report) : 0
  const advice = found > removed ? '; `amtsbote doctor --remove` removes them' : ''
  const missing = report.missing.length
  return [
    {
      check: 'orphans',
      state: found > removed ? 'warning' : 'ok',
      detail: `${found} objects without a row (${formatBytes(bytes)}), ${removed} removed${advice}`,
    },
    {
      check: 'missing objects',
      state: missing > 0 ? 'failed' : 'ok',
      detail:
        missing > 0 ? `${missing}, the first is ${report.missing[0]?.id ?? ''}: restore them from a backup` : 'none',
    },
  ]
}
