/** `amtsbote job list|retry|hold|drop`: the operator's handle on background work. */
import { Command } from 'commander'
import { oneOf, wholeNumber } from '../arguments.ts'
import type { Context } from '../context.ts'
import { everyRow } from '../lookup.ts'
import { JOB_KINDS, parseId, type Job, type JobKind } from '../../storage/index.ts'

const STATES = ['ready', 'running', 'held', 'failed'] as const satisfies readonly Job['state'][]

interface ListOptions {
  kind?: JobKind
  state?: Job['state']
  limit: number
}

export function jobCommand(context: () => Context): Command {
  const command = new Command('job').description('background work: list it, repeat it, hold it, drop it')
  command
    .command('list')
    .description('list jobs, oldest first')
    .option('--kind <kind>', JOB_KINDS.join(', '), oneOf(JOB_KINDS))
    .option('--state <state>', STATES.join(', '), oneOf(STATES))
    .option('--limit <n>', 'how many', wholeNumber(1, 100_000), 200)
    .action((options: ListOptions) => list(context(), options))
  for (const verb of ['retry', 'hold', 'drop'] as const) {
    command
      .command(`${verb} <id>`)
      .description(DESCRIPTIONS[verb])
      .action((id: string) => act(context(), id, verb))
  }
  return command
}

const DESCRIPTIONS = {
  retry: 'make the job due now and forget its failures',
  hold: 'put the job aside until it is retried',
  drop: 'remove the job for good',
} as const

function list(context: Context, { limit, ...filter }: ListOptions): Promise<void> {
  return context.withHouse(async ({ storage }) => {
    const jobs = await everyRow((page) => storage.jobs.list({ ...page, ...filter }), limit)
    context.output.table(jobs, [
      { title: 'KIND', value: (job) => job.kind },
      { title: 'STATE', value: (job) => job.state },
      { title: 'DUE', value: (job) => job.due?.toISOString() ?? null },
      { title: 'FAILURES', value: (job) => job.failures },
      { title: 'LAST ERROR', value: (job) => job.lastError },
      { title: 'SUBJECT', value: (job) => job.subject },
      { title: 'ID', value: (job) => job.id },
    ])
  })
}

function act(context: Context, text: string, verb: keyof typeof DESCRIPTIONS): Promise<void> {
  return context.withHouse(async ({ storage, operator }) => {
    const id = parseId('job', text)
    await storage.jobs[verb](id, operator)
    const job = verb === 'drop' ? { id, state: 'dropped' } : await storage.jobs.byId(id)
    context.output.say(job.state, job)
  })
}
