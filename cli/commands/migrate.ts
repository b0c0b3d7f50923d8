/** `amtsbote migrate`: brings the database to the schema of this program, or says what it would do. */
import { Command } from 'commander'
import { openBareDatabase, systemWorld } from '../compose.ts'
import type { Context } from '../context.ts'
import { migrate, schemaState } from '../../storage/index.ts'

export function migrateCommand(context: () => Context): Command {
  return new Command('migrate')
    .description('bring the database to the newest schema (serve does it too, at its start)')
    .option('--dry-run', 'only say which schema the database has')
    .action((options: { dryRun?: boolean }) => run(context(), options.dryRun === true))
}

async function run({ config, output }: Context, onlyLook: boolean): Promise<void> {
  const world = systemWorld('warn')
  const database = await openBareDatabase(config(), world)
  try {
    const before = await schemaState(database)
    const applied = onlyLook ? [] : await migrate(database, world.log)
    const now = onlyLook ? before.current : before.newest
    output.say(`schema ${now} of ${before.newest}${applied.length > 0 ? `, applied ${applied.join(', ')}` : ''}`, {
      ...before,
      current: now,
      applied,
    })
  } finally {
    await database.close()
  }
}
