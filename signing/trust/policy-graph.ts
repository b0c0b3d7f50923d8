/**
 * Certificate policies along a path (RFC 5280 §6.1.3 d–f, §6.1.4 a–b, §6.1.5 g), as the graph of RFC 9618.
 *
 * The tree of RFC 5280 grows exponentially with hostile mappings; the graph holds one node per policy and level.
 */
import { ANY_POLICY } from './extensions.ts'
import type { PolicyMapping } from './extensions.ts'

interface Node {
  readonly policy: string
  readonly parents: ReadonlySet<Node>
  expected: ReadonlySet<string>
}
type Level = Map<string, Node>

/** Judges the policies of one path; state moves with each certificate, from the anchor's side to the signer. */
export class PolicyGraph {
  /** null: no policy is valid any more */
  #levels: Level[] | null

  constructor() {
    this.#levels = [new Map([[ANY_POLICY, node(ANY_POLICY, new Set())]])]
  }

  get isEmpty(): boolean {
    return this.#levels === null
  }

  /** §6.1.3 d and e. `policies`: null when the certificate has none; `anyAllowed`: inhibitAnyPolicy is not in force. */
  addCertificate(policies: ReadonlySet<string> | null, anyAllowed: boolean): void {
    const above = this.#levels?.at(-1)
    if (this.#levels === null || above === undefined || policies === null) {
      this.#levels = null
      return
    }
    const level: Level = new Map()
    const expectedBy = indexByExpected(above)
    for (const policy of policies) if (policy !== ANY_POLICY) addNamed(level, policy, above, expectedBy)
    if (policies.has(ANY_POLICY) && anyAllowed) {
      for (const [policy, parents] of expectedBy) if (!level.has(policy)) level.set(policy, node(policy, parents))
    }
    this.#levels.push(level)
    this.#prune()
  }

  /** §6.1.4 b. `allowed`: inhibitPolicyMapping is not in force. */
  map(mappings: readonly PolicyMapping[], allowed: boolean): void {
    const level = this.#levels?.at(-1)
    if (level === undefined) return
    for (const [issuer, subjects] of grouped(mappings)) {
      if (!allowed) {
        level.delete(issuer)
        continue
      }
      const any = level.get(ANY_POLICY)
      const known = level.get(issuer) ?? (any === undefined ? undefined : node(issuer, any.parents))
      if (known === undefined) continue
      known.expected = subjects
      level.set(issuer, known)
    }
    this.#prune()
  }

  /**
   * §6.1.5 g: the policies under which the path is valid, named as the anchor's domain names them.
   *
   * @param accepted what the caller accepts; null: any policy
   */
  result(accepted: ReadonlySet<string> | null): ReadonlySet<string> {
    const last = this.#levels?.at(-1)
    if (last === undefined) return new Set()
    const found = authorityPolicies(last)
    if (accepted === null) return found
    if (found.has(ANY_POLICY)) return accepted
    return new Set([...found].filter((policy) => accepted.has(policy)))
  }

  /** Nodes without a child below them do not count any more. */
  #prune(): void {
    if (this.#levels === null) return
    let keep = new Set(this.#levels.at(-1)?.values())
    if (keep.size === 0) this.#levels = null
    for (const level of (this.#levels ?? []).slice(0, -1).reverse()) {
      const parents = new Set([...keep].flatMap(({ parents }) => [...parents]))
      for (const [policy, candidate] of level) if (!parents.has(candidate)) level.delete(policy)
      keep = parents
    }
  }
}

function addNamed(level: Level, policy: string, above: Level, expectedBy: Map<string, Set<Node>>): void {
  const any = above.get(ANY_POLICY)
  const parents = expectedBy.get(policy) ?? (any === undefined ? null : new Set([any]))
  if (parents !== null) level.set(policy, node(policy, parents))
}

/** RFC 9618 §5.4: the policies of the nodes that hang below anyPolicy; below them, other domains name them. */
function authorityPolicies(last: Level): Set<string> {
  const found = new Set<string>()
  const seen = new Set<Node>()
  const queue = [...last.values()]
  if (last.has(ANY_POLICY)) found.add(ANY_POLICY)
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    if (seen.has(at)) continue
    seen.add(at)
    const belowAny = [...at.parents].some(({ policy }) => policy === ANY_POLICY)
    if (belowAny && at.policy !== ANY_POLICY) found.add(at.policy)
    queue.push(...at.parents)
  }
  return found
}

function indexByExpected(level: Level): Map<string, Set<Node>> {
  const index = new Map<string, Set<Node>>()
  for (const candidate of level.values()) {
    for (const policy of candidate.expected) {
      const parents = index.get(policy) ?? new Set()
      index.set(policy, parents.add(candidate))
    }
  }
  return index
}

function grouped(mappings: readonly PolicyMapping[]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>()
  for (const { issuer, subject } of mappings) groups.set(issuer, (groups.get(issuer) ?? new Set()).add(subject))
  return groups
}

const node = (policy: string, parents: ReadonlySet<Node>): Node => ({ policy, parents, expected: new Set([policy]) })
