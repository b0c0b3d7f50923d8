/**
 * Finds certification paths from a signer to trust anchors, backwards, among certificates of any origin.
 *
 * Only names and key identifiers guide the search; what it finds is judged by validatePath. Several paths are normal
 * (cross certificates, renewed CAs). Bounded in paths, depth and steps, because the pool comes from the document.
 */
import type { Certificate } from './certificate.ts'
import type { Path, TrustAnchor } from './trust-anchor.ts'

/**
 * Paths for `leaf`, the most promising first.
 *
 * @param limit at most so many paths
 */
export function buildPaths(
  leaf: Certificate,
  pool: readonly Certificate[],
  anchors: readonly TrustAnchor[],
  limit = 64,
): Path[] {
  const direct = anchors.filter(({ certificate }) => certificate.sha256 === leaf.sha256)
  const search: Search = {
    pool: bySubject(distinct(pool).map((certificate) => ({ certificate }))),
    anchors: bySubject(anchors),
    found: direct.map((anchor): Path => ({ certificates: [leaf], anchor })),
    limit,
    steps: 0,
  }
  extend([leaf], search)
  return search.found.slice(0, limit)
}

interface Search {
  pool: Map<string, { certificate: Certificate }[]>
  anchors: Map<string, TrustAnchor[]>
  found: Path[]
  limit: number
  steps: number
}

function extend(path: readonly [Certificate, ...Certificate[]], search: Search): void {
  const last = path.at(-1) ?? path[0]
  if (isSpent(search)) return
  for (const anchor of ordered(last, search.anchors.get(last.issuer.key) ?? [])) {
    if (search.found.length < search.limit && !contains(path, anchor.certificate)) {
      search.found.push({ certificates: path, anchor })
    }
  }
  if (path.length >= MAX_DEPTH) return
  for (const { certificate } of ordered(last, search.pool.get(last.issuer.key) ?? [])) {
    search.steps++
    if (isSpent(search)) return
    if (!contains(path, certificate)) extend([...path, certificate], search)
  }
}

const isSpent = (search: Search): boolean => search.found.length >= search.limit || search.steps > MAX_STEPS

/** The same holder with the same key twice in one path leads in a circle. */
function contains(path: readonly Certificate[], candidate: Certificate): boolean {
  return path.some(({ subject, spki }) => subject.key === candidate.subject.key && spki.equals(candidate.spki))
}

/** Issuers whose key identifier is the one asked for come first; the others may still be right. */
function ordered<T extends { certificate: Certificate }>(child: Certificate, issuers: readonly T[]): readonly T[] {
  const wanted = child.aki?.keyIdentifier
  if (wanted === undefined || wanted === null || issuers.length < 2) return issuers
  const rank = ({ certificate }: T): number => (certificate.ski === null ? 1 : certificate.ski.equals(wanted) ? 0 : 2)
  return [...issuers].sort((a, b) => rank(a) - rank(b))
}

function distinct(pool: readonly Certificate[]): Certificate[] {
  return [...new Map(pool.map((certificate) => [certificate.sha256, certificate])).values()]
}

function bySubject<T extends { certificate: Certificate }>(list: readonly T[]): Map<string, T[]> {
  const index = new Map<string, T[]>()
  for (const item of list) {
    const { key } = item.certificate.subject
    const same = index.get(key)
    if (same === undefined) index.set(key, [item])
    else same.push(item)
  }
  return index
}

const MAX_DEPTH = 16
const MAX_STEPS = 5000
