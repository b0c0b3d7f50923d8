/** `amtsbote unit create|list|rename`: organisational units (Referat, Eigenbetrieb). */
import { Command } from 'commander'
import type { Context } from '../context.ts'
import { everyRow, findUnit } from '../lookup.ts'

export function unitCommand(context: () => Context): Command {
  const command = new Command('unit').description('organisational units that users, rooms and mailboxes belong to')
  command
    .command('create <name>')
    .description('create a unit')
    .action((name: string) =>
      context().withHouse(async ({ storage, operator }) => {
        const unit = await storage.units.create({ name }, operator)
        context().output.say(unit.id, unit)
      }),
    )
  command
    .command('list')
    .description('list all units')
    .action(() =>
      context().withHouse(async ({ storage }) => {
        const units = await everyRow((page) => storage.units.list(page))
        context().output.table(units, [
          { title: 'NAME', value: (unit) => unit.name },
          { title: 'ID', value: (unit) => unit.id },
        ])
      }),
    )
  command
    .command('rename <name> <new>')
    .description('rename a unit')
    .action((name: string, to: string) =>
      context().withHouse(async ({ storage, operator }) => {
        const unit = await findUnit(storage, name)
        const changed = await storage.units.change(unit.id, { name: to }, operator)
        context().output.say(changed.id, changed)
      }),
    )
  return command
}
