/**
 * Do the time-stamps of a signature contradict each other (ETSI EN 319 102-1 §5.5.4, time-stamp order)?
 *
 * What covers something was made after it: content before signature, signature before archive.
 */
import { missed, passed } from './checks.ts'
import type { SignatureFacts } from './facts.ts'
import type { ConstraintReport } from './report.ts'
import type { JudgedTimestamp } from './timestamps.ts'

/** Only time-stamps that passed are compared; the others say nothing. */
export function orderConstraint(
  { timestampIds, valueId }: SignatureFacts,
  judged: ReadonlyMap<string, JudgedTimestamp>,
  skewMs: number,
): ConstraintReport[] {
  const all = [...judged.values()].filter(({ proof }) => proof !== null)
  const ours = all.filter(({ facts }) => timestampIds.includes(facts.id) || facts.covers.has(valueId))
  if (ours.length < 2) return []
  const checked = { block: 'poe', name: 'timestamp-order' } as const
  const contradiction = ours.flatMap((late) =>
    ours.filter((early) => covers(late, early) && timeOf(early) > timeOf(late) + skewMs).map((early) => [early, late]),
  )[0]
  if (contradiction === undefined) return [passed(checked)]
  const [early, late] = contradiction
  const detail = `${early?.facts.id ?? ''} is later than ${late?.facts.id ?? ''}, which covers it`
  return [missed(checked, 'TIMESTAMP_ORDER_FAILURE', detail)]
}

/** A content time-stamp is under the signature, so it is covered by everything that covers the signature. */
function covers(late: JudgedTimestamp, early: JudgedTimestamp): boolean {
  if (late.facts.kind === 'content') return false
  return early.facts.kind === 'content' || late.facts.covers.has(early.facts.tokenId)
}

const timeOf = ({ proof }: JudgedTimestamp): number => proof?.time.getTime() ?? 0
