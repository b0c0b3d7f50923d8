/** Fetches one list over HTTP, with the few redirects that real lists need. Its signature alone tells what it is worth. */
import { SigningError } from '../../errors.ts'
import type { Http, HttpResponse } from '../../http.ts'
import type { ListSource } from './list-of-lists.ts'
import { LIST_LIMITS } from './read-list.ts'

export type FetchedList = { kind: 'fetched'; source: ListSource } | { kind: 'failed'; detail: string }

export interface FetchOptions {
  http: Http
  now: Date
  /** for one exchange; 30 s unless told otherwise */
  timeoutMs?: number
}

/** `source.location` is the address that was asked for, not where redirects led. */
export async function fetchList(options: FetchOptions, location: string): Promise<FetchedList> {
  let url = location
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const answer = await ask(options, url)
    if (answer === null) return { kind: 'failed', detail: 'no answer' }
    const { status, body, headers } = answer
    if (status === 200) return { kind: 'fetched', source: { bytes: body, location, retrievedAt: options.now } }
    const next = REDIRECTS.has(status) ? headers['location'] : undefined
    if (next === undefined || !URL.canParse(next, url)) return { kind: 'failed', detail: `HTTP status ${status}` }
    url = new URL(next, url).href
  }
  return { kind: 'failed', detail: 'too many redirects' }
}

async function ask({ http, timeoutMs = 30_000 }: FetchOptions, url: string): Promise<HttpResponse | null> {
  try {
    return await http({ method: 'GET', url, timeoutMs, maxBytes: LIST_LIMITS.maxBytes })
  } catch (error) {
    if (error instanceof SigningError) return null
    throw error
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const MAX_REDIRECTS = 3
