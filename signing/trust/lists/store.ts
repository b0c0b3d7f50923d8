/**
 * Accepted lists as files: what survives the process, and what an installation without network is given.
 *
 * `index.json` names each list that was ever accepted with its hash, address and time of retrieval; the list itself lies
 * beside it as `<sha256>.xml`, as received. Nothing is believed because it lies there: loading verifies everything again
 * from the pinned certificates on.
 */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { SigningError } from '../../errors.ts'
import type { Certificate } from '../certificate.ts'
import { checkList } from './check-list.ts'
import type { AcceptedList } from './check-list.ts'
import { checkListOfLists, nationalPointers } from './list-of-lists.ts'
import type { ListSource } from './list-of-lists.ts'
import type { ListProblem, Refreshed } from './refresh.ts'
import { readIndex, writeIndex } from './store-index.ts'
import type { StoreEntry } from './store-index.ts'
import { NO_LISTS } from './trusted-lists.ts'
import type { ListSnapshot } from './trusted-lists.ts'
import { NATIONAL_LIST } from './uris.ts'

/** A folder, or anything that holds bytes by name. Names are `index.json` and `<hex>.xml`. */
export interface ListFiles {
  /** null: there is no such file */
  read(name: string): Promise<Buffer | null>
  /** replaces the whole file or, when it fails, nothing */
  write(name: string, bytes: Buffer): Promise<void>
}

/**
 * The present lists, verified again. `problems` names lists that may not be used any more (their signer is no longer
 * announced); the other ones are used.
 *
 * @throws SigningError `signing/trust-store-damaged` the index or a list is missing or altered
 */
export async function loadLists(files: ListFiles, pinned: readonly Certificate[]): Promise<Refreshed> {
  const present = presentEntries(await storedIndex(files))
  const sources = new Map<StoreEntry, ListSource>()
  for (const entry of present) sources.set(entry, await readSource(files, entry))
  const ofRole = (role: StoreEntry['role']): ListSource[] =>
    present.filter((entry) => entry.role === role).flatMap((entry) => sources.get(entry) ?? [])
  const [lotl] = ofRole('lotl')
  if (lotl === undefined) return { snapshot: NO_LISTS, problems: [] }
  const verdict = checkListOfLists(lotl, pinned, ofRole('pivot'), null)
  if (verdict.kind === 'refused')
    return { snapshot: NO_LISTS, problems: [{ territory: 'EU', code: verdict.reason, detail: verdict.detail }] }
  const { lists, problems } = await checkNational(
    verdict.list,
    present.flatMap((entry) => {
      const source = entry.role === 'national' ? sources.get(entry) : undefined
      return source === undefined ? [] : [{ territory: entry.territory, source }]
    }),
  )
  return { snapshot: { listOfLists: verdict.list, pivots: verdict.pivots, lists }, problems }
}

/**
 * Takes over a bundle that somebody carried here: of each territory the newer of its list and ours.
 *
 * @throws SigningError `signing/trust-store-damaged` anything in it is damaged, refused, or older than our list of the
 * lists: then nothing of it is taken
 */
export async function importLists(
  bundle: ListFiles,
  pinned: readonly Certificate[],
  previous: ListSnapshot,
): Promise<ListSnapshot> {
  const { snapshot, problems } = await loadLists(bundle, pinned)
  const [problem] = problems
  const { listOfLists } = snapshot
  if (problem !== undefined) throw refusedBundle(`${problem.territory} ${problem.code} ${problem.detail}`)
  if (listOfLists === null) throw refusedBundle('it holds no list of the lists')
  const ours = previous.listOfLists
  if (ours !== null && listOfLists.list.sequence < ours.list.sequence)
    throw refusedBundle(`its list of the lists has sequence ${listOfLists.list.sequence}, ours ${ours.list.sequence}`)
  const newest = new Map<string, AcceptedList>()
  for (const list of [...previous.lists, ...snapshot.lists]) {
    const known = newest.get(list.list.territory)
    if (known === undefined || known.list.sequence <= list.list.sequence) newest.set(list.list.territory, list)
  }
  return { ...snapshot, lists: announcedLists(listOfLists, [...newest.values()]) }
}

/** Adds the lists of `snapshot` to what is stored and makes them the present ones. */
export async function saveLists(files: ListFiles, snapshot: ListSnapshot): Promise<void> {
  const before = await storedIndex(files)
  const known = new Set(before.map(({ sha256 }) => sha256))
  const { listOfLists, pivots, lists } = snapshot
  const entries = [
    ...(listOfLists === null ? [] : [entryOf('lotl', listOfLists)]),
    ...pivots.map((pivot) => entryOf('pivot', pivot)),
    ...lists.map((list) => entryOf('national', list)),
  ]
  for (const { bytes, sha256 } of [...pivots, ...lists, ...(listOfLists === null ? [] : [listOfLists])])
    if (!known.has(sha256)) await files.write(fileName(sha256), bytes)
  const present = new Set(entries.map(({ sha256 }) => sha256))
  const former = before.filter(({ sha256 }) => !present.has(sha256)).map((entry) => ({ ...entry, present: false }))
  // the index last: a list that it names is there
  await files.write(INDEX, writeIndex([...former, ...entries]))
}

/**
 * When the first of the present lists is to have a newer one, by what the index notes; nothing is verified for it.
 * The beginning of time where there are no lists, or one whose update was not noted; null: all are closed.
 */
export async function nextListUpdate(files: ListFiles): Promise<Date | null> {
  const lists = presentEntries(await storedIndex(files)).filter(({ role }) => role !== 'pivot')
  if (lists.length === 0) return new Date(0)
  const times = lists.map(({ nextUpdate }) => (nextUpdate === undefined ? new Date(0) : nextUpdate))
  const [first = null] = times.filter((time) => time !== null).sort((a, b) => a.getTime() - b.getTime())
  return first
}

async function storedIndex(files: ListFiles): Promise<StoreEntry[]> {
  const bytes = await files.read(INDEX)
  return bytes === null ? [] : readIndex(bytes)
}

const presentEntries = (entries: readonly StoreEntry[]): StoreEntry[] => entries.filter(({ present }) => present)

async function readSource(files: ListFiles, { sha256, location, retrievedAt }: StoreEntry): Promise<ListSource> {
  const bytes = await files.read(fileName(sha256))
  const isWhole = bytes !== null && createHash('sha256').update(bytes).digest('hex') === sha256
  if (!isWhole)
    throw new SigningError('signing/trust-store-damaged', `trusted list ${sha256} is missing or was altered`)
  return { bytes, location, retrievedAt }
}

async function checkNational(
  listOfLists: AcceptedList,
  stored: readonly { territory: string; source: ListSource }[],
): Promise<{ lists: AcceptedList[]; problems: ListProblem[] }> {
  const pointers = nationalPointers(listOfLists.list)
  const lists: AcceptedList[] = []
  const problems: ListProblem[] = []
  for (const { territory, source } of stored) {
    // a large list takes some tenths of a second; a server goes on between two of them
    await setImmediate()
    const signers = pointers.get(territory)?.certificates ?? []
    const verdict = checkList(source.bytes, source, { type: NATIONAL_LIST, territory, signers, previous: null })
    if (verdict.kind === 'accepted') lists.push(verdict.list)
    else problems.push({ territory, code: verdict.reason, detail: verdict.detail })
  }
  return { lists, problems }
}

/** Those whose signer the list of the lists still announces. */
function announcedLists({ list }: AcceptedList, lists: readonly AcceptedList[]): AcceptedList[] {
  const pointers = nationalPointers(list)
  return lists.filter(({ list: { territory }, signer }) =>
    pointers.get(territory)?.certificates.some(({ sha256 }) => sha256 === signer.sha256),
  )
}

function refusedBundle(why: string): SigningError {
  return new SigningError('signing/trust-store-damaged', why.trim())
}

function entryOf(role: StoreEntry['role'], { list, sha256, location, retrievedAt }: AcceptedList): StoreEntry {
  const { territory, sequence } = list
  return { role, territory, sequence, sha256, location, retrievedAt, nextUpdate: list.nextUpdate, present: true }
}

const fileName = (sha256: string): string => `${sha256}.xml`
const INDEX = 'index.json'
