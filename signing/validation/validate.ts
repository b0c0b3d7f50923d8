/**
 * Validates a document: reads it, gets what is missing where a network is allowed, judges, reports (ETSI EN 319 102-1).
 *
 * Offline, the same document, anchors, evidence, policy and time give the same report.
 */
import type { RandomAccess } from '../random-access.ts'
import type { EvidenceSource } from '../trust/online.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import type { TrustAnchor } from '../trust/trust-anchor.ts'
import { readBytes } from './detect.ts'
import { gather } from './gather.ts'
import { judge } from './judge.ts'
import { STRICT } from './policy.ts'
import type { ValidationPolicy } from './policy.ts'
import type { Qualifier } from './qualifier.ts'
import { readFacts } from './read-facts.ts'
import type { ValidationReport } from './report.ts'

export interface ValidationOptions {
  anchors: readonly TrustAnchor[]
  /** the time of validation */
  now: Date
  /** name and version of this program, for the report */
  producer: string
  /** absent: `strict` */
  policy?: ValidationPolicy
  /** where missing evidence comes from; absent or null: offline */
  online?: EvidenceSource | null
  /** kept from earlier, or delivered beside the document */
  evidence?: Evidence
  /** of an encrypted PDF */
  password?: string | null
  /** data beside a signature, by the name in it; the name is empty where a signature names nothing (CMS) */
  detached?: (name: string) => RandomAccess | null
  /** answers from trusted lists; absent: the qualification is not told */
  qualifier?: Qualifier | null
}

/**
 * @throws SigningError `signing/pdf-encrypted` when a password is needed or another one, `signing/source-changed`;
 *   what is in the document, and what the network answers, never throws
 */
export async function validateDocument(source: RandomAccess, options: ValidationOptions): Promise<ValidationReport> {
  const { sha256, looksSigned } = await readBytes(source)
  const { password = null, detached = () => null, evidence = NOTHING } = options
  const facts = await readFacts(source, { password, detached, looksSigned })
  const input = {
    ...options,
    facts,
    document: { sizeBytes: source.size, sha256 },
    evidence,
    policy: options.policy ?? STRICT,
    qualifier: options.qualifier ?? null,
  }
  const report = judge(input)
  if (options.online === undefined || options.online === null) return report
  const fetched = await gather(facts, report, options.online)
  return judge({ ...input, evidence: joined(evidence, fetched) })
}

function joined(a: Evidence, b: Evidence): Evidence {
  return {
    certificates: [...a.certificates, ...b.certificates],
    crls: [...a.crls, ...b.crls],
    ocsps: [...a.ocsps, ...b.ocsps],
  }
}

const NOTHING: Evidence = { certificates: [], crls: [], ocsps: [] }
