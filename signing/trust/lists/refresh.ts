/**
 * Fetches the list of the lists and national lists, and keeps of each the newest that may be used.
 *
 * A list that cannot be had or is refused leaves the one before it in place, and a problem for the operator. Nothing is
 * stored here; see store.ts.
 */
import type { Http } from '../../http.ts'
import type { Certificate } from '../certificate.ts'
import { checkList } from './check-list.ts'
import type { AcceptedList, ListRefusal } from './check-list.ts'
import { fetchList } from './fetch-list.ts'
import { checkListOfLists, nationalPointers, officialJournalOf, pivotLocations } from './list-of-lists.ts'
import type { ListOfListsVerdict, ListSource } from './list-of-lists.ts'
import type { ListPointer } from './model.ts'
import { parseTrustedListOrNull } from './read-list.ts'
import type { ListSnapshot } from './trusted-lists.ts'
import { NATIONAL_LIST } from './uris.ts'

export interface RefreshOptions {
  http: Http
  now: Date
  /** address of the list of the lists */
  lotlUrl: string
  /** certificates from the Official Journal that may sign it */
  pinned: readonly Certificate[]
  /** two letters each; empty: all that the list of the lists names */
  territories: readonly string[]
  previous: ListSnapshot
  /** for one exchange; 30 s unless told otherwise */
  timeoutMs?: number
}

/** What the operator should know; none of it keeps the other lists from being used. */
export interface ListProblem {
  territory: string
  /**
   * - `unreachable`: not to be had now
   * - `not-named`: the list of the lists names no list of this territory
   * - `official-journal-changed`: the list of the lists names another publication of its signers than before
   * - else why a list was refused
   */
  code: ListRefusal | 'unreachable' | 'not-named' | 'official-journal-changed'
  detail: string
}

export interface Refreshed {
  snapshot: ListSnapshot
  problems: ListProblem[]
}

/** Never rejects for what the network or a list does wrong; that is in `problems`. */
export async function refreshLists(options: RefreshOptions): Promise<Refreshed> {
  const { previous } = options
  const problems: ListProblem[] = []
  const fresh = await refreshListOfLists(options, problems)
  const { listOfLists, pivots } = fresh ?? previous
  if (listOfLists === null) return { snapshot: previous, problems }
  const pointers = nationalPointers(listOfLists.list)
  const wanted = options.territories.length > 0 ? options.territories : [...pointers.keys()]
  const lists: AcceptedList[] = []
  await inTurns(wanted, async (territory) => {
    const list = await refreshNational(options, { territory, pointer: pointers.get(territory) ?? null, problems })
    if (list !== null) lists.push(list)
  })
  lists.sort((a, b) => (a.list.territory < b.list.territory ? -1 : 1))
  return { snapshot: { listOfLists, pivots, lists }, problems }
}

async function refreshListOfLists(
  options: RefreshOptions,
  problems: ListProblem[],
): Promise<Pick<ListSnapshot, 'listOfLists' | 'pivots'> | null> {
  const { lotlUrl, pinned, previous } = options
  const report = (code: ListProblem['code'], detail: string): void =>
    void problems.push({ territory: 'EU', code, detail })
  const fetched = await fetchList(options, lotlUrl)
  if (fetched.kind === 'failed') {
    report('unreachable', fetched.detail)
    return null
  }
  const before = previous.listOfLists?.list ?? null
  const judge = (pivots: readonly ListSource[]): ListOfListsVerdict =>
    checkListOfLists(fetched.source, pinned, pivots, before)
  let verdict = judge(previous.pivots)
  if (verdict.kind === 'refused' && verdict.reason === 'signature')
    verdict = judge(await fetchPivots(options, fetched.source))
  if (verdict.kind === 'refused') {
    report(verdict.reason, verdict.detail)
    return null
  }
  const journal = officialJournalOf(verdict.list.list)
  if (before !== null && journal !== officialJournalOf(before))
    report('official-journal-changed', `get the certificates from ${journal ?? 'the Official Journal'}`)
  return { listOfLists: verdict.list, pivots: verdict.pivots }
}

async function fetchPivots(options: RefreshOptions, { bytes }: ListSource): Promise<ListSource[]> {
  const claimed = parseTrustedListOrNull(bytes)
  const found: ListSource[] = []
  for (const url of claimed === null ? [] : pivotLocations(claimed, options.lotlUrl)) {
    const pivot = await fetchList(options, url)
    if (pivot.kind === 'fetched') found.push(pivot.source)
  }
  return found
}

interface NationalWish {
  territory: string
  pointer: ListPointer | null
  problems: ListProblem[]
}

async function refreshNational(
  options: RefreshOptions,
  { territory, pointer, problems }: NationalWish,
): Promise<AcceptedList | null> {
  const report = (code: ListProblem['code'], detail: string): void => void problems.push({ territory, code, detail })
  if (pointer === null) {
    report('not-named', '')
    return null
  }
  const before = options.previous.lists.find(({ list }) => list.territory === territory) ?? null
  const kept = before !== null && isAnnounced(before.signer, pointer) ? before : null
  const fetched = await fetchList(options, pointer.location)
  if (fetched.kind === 'failed') {
    report('unreachable', fetched.detail)
    return kept
  }
  const { certificates: signers } = pointer
  const expectation = { type: NATIONAL_LIST, territory, signers, previous: before?.list ?? null }
  const verdict = checkList(fetched.source.bytes, fetched.source, expectation)
  if (verdict.kind === 'accepted') return verdict.list
  report(verdict.reason, verdict.detail)
  return kept
}

/** A signer that is no longer announced is no longer trusted, for lists of former days neither. */
function isAnnounced(signer: Certificate, pointer: ListPointer): boolean {
  return pointer.certificates.some(({ sha256 }) => sha256 === signer.sha256)
}

/** A few at a time: lists are large and their judgement takes memory. */
async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const turn = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: 4 }, turn))
}
