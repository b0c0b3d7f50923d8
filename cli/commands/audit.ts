/** `amtsbote audit verify|list`: the evidence. `verify` ends with exit code 3 when the chain is not what was written. */
import { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { everyRow } from '../lookup.ts'
import type { AuditVerdict } from '../../storage/index.ts'

export function auditCommand(context: () => Context): Command {
  const command = new Command('audit').description('the audit log: list it, verify its chain')
  command
    .command('verify')
    .description('walk the chain from the first entry to the head')
    .action(() => verify(context()))
  command
    .command('list')
    .description('list entries, oldest first')
    .option('--subject <id>', 'only entries about this room, user, file …')
    .option('--after <seq>', 'start after this entry', wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .option('--limit <n>', 'how many', wholeNumber(1, 100_000), 200)
    .action((options: ListOptions) => list(context(), options))
  return command
}

function verify(context: Context): Promise<void> {
  return context.withHouse(async ({ storage }) => {
    const verdict = await storage.audit.verify()
    if (verdict.kind === 'whole') {
      context.output.say(`the audit chain is whole: ${verdict.entries} entries, head ${verdict.head}`, verdict)
      return
    }
    if (context.json) context.output.say('', verdict)
    throw new CliError('cli/check-failed', describeBreak(verdict))
  })
}

const REASONS = {
  altered: 'was altered',
  missing: 'is missing',
  reordered: 'stands in another place than it was written',
  'cut-off': 'and what followed were cut off',
} as const

function describeBreak(verdict: Extract<AuditVerdict, { kind: 'broken' }>): string {
  return `the audit chain is broken: entry ${verdict.seq} ${REASONS[verdict.reason]}; keep the database as it is and compare it with a backup`
}

interface ListOptions {
  subject?: string
  after: number
  limit: number
}

function list(context: Context, options: ListOptions): Promise<void> {
  return context.withHouse(async ({ storage }) => {
    const subject = options.subject === undefined ? {} : { subject: options.subject }
    const entries = await everyRow(
      (page) => storage.audit.list({ ...page, after: page.after ?? String(options.after), ...subject }),
      options.limit,
    )
    context.output.table(entries, [
      { title: 'SEQ', value: (entry) => entry.seq },
      { title: 'AT', value: (entry) => entry.at.toISOString() },
      { title: 'ACTION', value: (entry) => entry.action },
      { title: 'BY', value: (entry) => `${entry.actor.kind} ${entry.actor.name}` },
      { title: 'SUBJECT', value: (entry) => entry.subject },
      { title: 'DETAIL', value: (entry) => JSON.stringify(entry.detail) },
    ])
  })
}
