/**
 * The list of the lists and the chain of pivots that leads to its present signers (ETSI TS 119 615 §4.1, Decision (EU)
 * 2015/1505).
 *
 * Trust starts at certificates from the Official Journal. When the Commission changes its signers it publishes a pivot:
 * a list signed by the former ones whose pointer to itself announces the new ones. Pivots are walked from old to new.
 */
import type { Certificate } from '../certificate.ts'
import { checkList } from './check-list.ts'
import type { AcceptedList, ListVerdict } from './check-list.ts'
import type { ListPointer, TrustedList } from './model.ts'
import { LIST_MIME_TYPE, LIST_OF_LISTS, NATIONAL_LIST } from './uris.ts'

const EU = 'EU'

export interface ListSource {
  bytes: Buffer
  location: string
  retrievedAt: Date | null
}

export type ListOfListsVerdict =
  | { kind: 'accepted'; list: AcceptedList; /** that were needed, the oldest first */ pivots: readonly AcceptedList[] }
  | Extract<ListVerdict, { kind: 'refused' }>

/**
 * Judges the list of the lists: signed by a pinned certificate, or by one that the pivots lead to.
 *
 * @param pinned certificates from the Official Journal
 * @param pivots in any order; those that nobody trusted signed are left out
 */
export function checkListOfLists(
  source: ListSource,
  pinned: readonly Certificate[],
  pivots: readonly ListSource[],
  previous: TrustedList | null,
): ListOfListsVerdict {
  const direct = check(source, pinned, previous)
  if (direct.kind === 'accepted') return { ...direct, pivots: [] }
  if (direct.reason !== 'signature' || pivots.length === 0) return direct
  const walked = walkPivots(pinned, pivots)
  const verdict = check(source, walked.signers, previous)
  return verdict.kind === 'accepted' ? { ...verdict, pivots: walked.pivots } : verdict
}

function walkPivots(
  pinned: readonly Certificate[],
  pivots: readonly ListSource[],
): { signers: readonly Certificate[]; pivots: readonly AcceptedList[] } {
  let signers = pinned
  const passed: AcceptedList[] = []
  for (const pivot of inOrder(pivots)) {
    const verdict = check(pivot, signers, passed.at(-1)?.list ?? null)
    const announced = verdict.kind === 'accepted' ? signersAnnouncedIn(verdict.list.list) : []
    if (verdict.kind === 'refused' || announced.length === 0) continue
    signers = announced
    passed.push(verdict.list)
  }
  return { signers, pivots: passed }
}

function check({ bytes, ...origin }: ListSource, signers: readonly Certificate[], previous: TrustedList | null) {
  return checkList(bytes, origin, { type: LIST_OF_LISTS, territory: EU, signers, previous })
}

/** The pointers to national lists in XML, one per territory: of several the first counts. */
export function nationalPointers({ pointers }: TrustedList): ReadonlyMap<string, ListPointer> {
  const found = new Map<string, ListPointer>()
  for (const pointer of pointers) {
    const { type, mimeType, rules, territory } = pointer
    const isNational =
      type === NATIONAL_LIST &&
      mimeType === LIST_MIME_TYPE &&
      rules.some((rule) => rule === COMMON_RULES || rule === `${RULES}/${territory}`)
    if (!isNational || territory === '' || territory === EU) continue
    if (!found.has(territory)) found.set(territory, pointer)
  }
  return found
}

/** Addresses of pivots that a list of the lists names, itself not yet believed: only on its own host, and few. */
export function pivotLocations({ information }: TrustedList, lotlUrl: string): string[] {
  const { origin } = new URL(lotlUrl)
  const isPivot = (url: string): boolean => URL.canParse(url) && new URL(url).origin === origin && PIVOT.test(url)
  return [...new Set(information.filter(isPivot))].slice(0, MAX_PIVOTS)
}

/** Where the certificates were published; another address than before means that there are new ones. Null: not named. */
export function officialJournalOf({ information }: TrustedList): string | null {
  return information.find((url) => /^https?:\/\/eur-lex\.europa\.eu\//.test(url)) ?? null
}

function signersAnnouncedIn({ pointers }: TrustedList): Certificate[] {
  const own = pointers.filter(
    ({ type, territory, mimeType }) => type === LIST_OF_LISTS && territory === EU && mimeType === LIST_MIME_TYPE,
  )
  return own.flatMap(({ certificates }) => certificates)
}

/** By the number in the address, which is the sequence number: nothing else of a pivot is believed before its turn. */
function inOrder(pivots: readonly ListSource[]): ListSource[] {
  const numberOf = ({ location }: ListSource): number => Number(PIVOT.exec(location)?.[1] ?? Infinity)
  return [...pivots].sort((a, b) => numberOf(a) - numberOf(b))
}

const PIVOT = /-pivot-(\d{1,6})\.xml$/
const MAX_PIVOTS = 20
/** §5.3.9: those that all member states share, and those of the state itself */
const RULES = 'http://uri.etsi.org/TrstSvc/TrustedList/schemerules'
const COMMON_RULES = `${RULES}/EUcommon`
