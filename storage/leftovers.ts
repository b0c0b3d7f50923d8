/**
 * The search for leftovers, for `doctor`: objects that no row names, and rows whose object is missing.
 *
 * Rule: bytes come before their row and go after it, so a crash can only leave bytes too many. An object that is younger
 * than the longest rest of an upload may just not have its row yet and is left alone.
 */
import type { ContentId, ObjectId } from './ids.ts'
import type { Database } from './metadata/database.ts'
import type { ObjectStore } from './objects/object-store.ts'
import type { World } from './world.ts'

export interface LeftoverReport {
  /** whole objects that no row names */
  objects: { id: ObjectId; size: number }[]
  /** objects begun that no row names */
  unfinished: { id: ObjectId; handle: string }[]
  /** objects that rows name and the store does not have */
  missing: { id: ObjectId; contentId: ContentId }[]
}

export interface Leftovers {
  /** @param olderThan younger objects are not reported */
  find(olderThan: Date): Promise<LeftoverReport>
  /** Removes what `find` reported as leftover, after asking the rows once more; returns how many it removed. */
  remove(report: LeftoverReport): Promise<number>
}

type Deps = { database: Database; objects: ObjectStore } & Pick<World, 'log'>

const PAGE = 500

export function createLeftovers(deps: Deps): Leftovers {
  return {
    find: async (olderThan) => ({ ...(await findUnnamed(deps, olderThan)), missing: await findMissing(deps) }),
    remove: async (report) => {
      let removed = 0
      for (const { id } of report.objects) {
        if (await isNamed(deps, id)) continue
        await deps.objects.delete(id)
        removed++
      }
      for (const { id, handle } of report.unfinished) {
        if (await isNamed(deps, id)) continue
        await deps.objects.abort(id, handle)
        removed++
      }
      return removed
    },
  }
}

async function findUnnamed(deps: Deps, olderThan: Date): Promise<Omit<LeftoverReport, 'missing'>> {
  const objects: LeftoverReport['objects'] = []
  const unfinished: LeftoverReport['unfinished'] = []
  for await (const { id, size, changedAt } of deps.objects.list()) {
    if (changedAt < olderThan && !(await isNamed(deps, id))) objects.push({ id, size })
  }
  for await (const { id, handle, startedAt } of deps.objects.listUnfinished()) {
    if (startedAt < olderThan && !(await isNamed(deps, id))) unfinished.push({ id, handle })
  }
  return { objects, unfinished }
}

async function isNamed({ database }: Deps, id: ObjectId): Promise<boolean> {
  const row = await database.kysely
    .selectFrom('segment')
    .select('id')
    .where((is) => is.or([is('object_id', '=', id), is('tail_object', '=', id)]))
    .executeTakeFirst()
  return row !== undefined
}

/** Walks the segments of whole contents, and the tails of open ones, page by page. */
async function findMissing({ database, objects }: Deps): Promise<LeftoverReport['missing']> {
  const missing: LeftoverReport['missing'] = []
  let after = ''
  for (;;) {
    const page = await database.kysely
      .selectFrom('segment')
      .innerJoin('content', 'content.id', 'segment.content_id')
      .select(['segment.id', 'segment.content_id', 'segment.object_id', 'segment.tail_object', 'content.state'])
      .where('segment.id', '>', after as never)
      .where('content.state', 'in', ['open', 'whole'])
      .orderBy('segment.id')
      .limit(PAGE)
      .execute()
    for (const row of page) {
      const named = row.state === 'whole' ? row.object_id : row.tail_object
      if (named !== null && (await objects.size(named)) === null) missing.push({ id: named, contentId: row.content_id })
      after = row.id
    }
    if (page.length < PAGE) return missing
  }
}
