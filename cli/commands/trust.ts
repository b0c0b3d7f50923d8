/** `amtsbote trust …`: trusted lists and the operator's own anchors. Exit code 3 when a list is not as it should be. */
import { Command } from 'commander'
import { oneOf } from '../arguments.ts'
import { trustOf } from '../compose.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { PURPOSES, addAnchor, readCertificateFile } from '../trust-certificates.ts'
import type { ListProblem, ListReport, TrustAnchor, TrustPurpose } from '../../signing/index.ts'

const purposeArgument = oneOf<TrustPurpose>(PURPOSES)

export function trustCommand(context: () => Context): Command {
  const command = new Command('trust').description('whom the validation of signatures believes')
  command
    .command('refresh')
    .description('fetch the European trusted lists and keep those that may be used')
    .action(() => refresh(context()))
  command
    .command('status')
    .description('show the lists in use')
    .action(() => status(context()))
  command
    .command('export <folder>')
    .description('write the lists in use into a folder, for an installation without network')
    .action((folder: string) => exportTo(context(), folder))
  command
    .command('import <folder>')
    .description('take over lists that were exported elsewhere; they are verified like fetched ones')
    .action((folder: string) => importFrom(context(), folder))
  command
    .command('add <certificate>')
    .description('trust a certificate of your own (PEM or DER)')
    .option(
      '--purpose <purpose>',
      `for this alone: ${PURPOSES.join(', ')}; may be repeated (default: everything)`,
      (value: string, before?: TrustPurpose[]) => [...(before ?? []), purposeArgument(value)],
    )
    .action((file: string, { purpose = [] }: { purpose?: TrustPurpose[] }) => add(context(), file, purpose))
  command
    .command('list')
    .description('show trusted certificates of your own')
    .option('--all', 'those of the trusted lists too')
    .action(({ all = false }: { all?: boolean }) => list(context(), all ? 'all' : 'own'))
  return command
}

async function refresh(context: Context): Promise<void> {
  const trust = trustOf(context.config(), context.world)
  const { problems } = await trust.refresh()
  const { listReports } = await trust.current()
  showLists(context, listReports(context.clock()))
  refuse(problems)
}

async function status(context: Context): Promise<void> {
  const { listReports, problems } = await trustOf(context.config(), context.world).current()
  const lists = listReports(context.clock())
  showLists(context, lists)
  refuse(problems)
  if (lists.length === 0)
    throw new CliError('cli/check-failed', 'there are no trusted lists; run `amtsbote trust refresh`')
  const overdue = lists.filter(({ state }) => state === 'overdue').map(({ territory }) => territory)
  if (overdue.length > 0)
    throw new CliError('cli/check-failed', `overdue: ${overdue.join(', ')}; run \`amtsbote trust refresh\``)
}

function showLists({ output }: Context, lists: readonly ListReport[]): void {
  output.table(lists, [
    { title: 'TERRITORY', value: (one) => one.territory },
    { title: 'SEQUENCE', value: (one) => one.sequence },
    { title: 'ISSUED', value: (one) => one.issuedAt.slice(0, 10) },
    { title: 'NEXT UPDATE', value: (one) => one.nextUpdate?.slice(0, 10) ?? null },
    { title: 'RETRIEVED', value: (one) => one.retrievedAt },
    { title: 'STATE', value: (one) => one.state },
    { title: 'SHA-256', value: (one) => one.sha256.slice(0, 16) },
  ])
}

/** Lists that could not be had or were refused; the others are in use. */
function refuse(problems: readonly ListProblem[]): void {
  if (problems.length === 0) return
  const lines = problems.map(
    ({ territory, code, detail }) => `${territory} ${code}${detail === '' ? '' : ` (${detail})`}`,
  )
  throw new CliError('cli/check-failed', `not as it should be: ${lines.join('; ')}`)
}

async function exportTo(context: Context, folder: string): Promise<void> {
  const { lists } = await trustOf(context.config(), context.world).exportTo(folder)
  context.output.say(`${lists.length} national lists and the list of the lists are in ${folder}`, {
    folder,
    lists: lists.length,
  })
}

async function importFrom(context: Context, folder: string): Promise<void> {
  const { lists } = await trustOf(context.config(), context.world).importFrom(folder)
  context.output.say(`${lists.length} national lists are in use`, { lists: lists.length })
}

async function add(context: Context, file: string, purposes: readonly TrustPurpose[]): Promise<void> {
  const written: string[] = []
  for (const certificate of await readCertificateFile(file))
    written.push(...(await addAnchor(context.config().trust.anchorsFolder, certificate, purposes)))
  context.output.say(written.join('\n'), { written })
}

async function list(context: Context, which: 'own' | 'all'): Promise<void> {
  const { anchors, ownAnchors } = await trustOf(context.config(), context.world).current()
  const rows = (which === 'all' ? anchors : ownAnchors).map(rowOf)
  context.output.table(rows, [
    { title: 'SUBJECT', value: (row) => row.subject },
    { title: 'NOT AFTER', value: (row) => row.notAfter.slice(0, 10) },
    { title: 'PURPOSES', value: (row) => row.purposes.join(', ') },
    { title: 'SOURCE', value: (row) => row.source },
    { title: 'SHA-256', value: (row) => row.sha256.slice(0, 16) },
  ])
}

function rowOf({ certificate, purposes, source }: TrustAnchor) {
  const { subject, notAfter, sha256 } = certificate
  const text = subject.attributes.map(({ value }) => value).join(', ')
  return { subject: text, notAfter: notAfter.toISOString(), purposes: purposes ?? PURPOSES, source, sha256 }
}
