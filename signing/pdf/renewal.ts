/**
 * Keeps the proof of a sealed PDF alive: a new archive time-stamp when the last one nears its end (EN 319 142-1 §5.5).
 *
 * What is there is verified before anything is added. A proof that has ended already cannot be healed; then nothing is
 * added, and the answer says since when.
 */
import type { AlgorithmPolicy } from '../../policies/index.ts'
import { timestampLeaf } from '../cms/signature-timestamp.ts'
import type { LevelSources } from '../cms/cades-levels.ts'
import type { RandomAccess } from '../random-access.ts'
import { nextRenewal } from '../timestamp/renewal.ts'
import type { Renewal } from '../timestamp/renewal.ts'
import { digestRanges } from './digests.ts'
import { openDocument } from './document.ts'
import type { OpenOptions } from './document.ts'
import { extendPdf } from './levels.ts'
import type { ExtendedPdf } from './levels.ts'
import { readSignatures } from './signatures.ts'

export type RenewalOutcome =
  | { kind: 'renewed'; pdf: ExtendedPdf }
  /** `next` says when, and why then */
  | { kind: 'not-yet'; next: Renewal }
  /** too late: certificate or algorithms of the last time-stamp have ended */
  | { kind: 'lapsed'; since: Date; reason: Renewal['reason'] }
  /** the document has no time-stamp over the whole of it: it was never lifted to B-LTA */
  | { kind: 'no-archive-timestamp' }

/**
 * Renews the document if its time has come.
 *
 * @param at policy and time to judge by
 * @throws SigningError as extendPdf
 */
export async function renewPdf(
  source: RandomAccess,
  sources: LevelSources,
  at: { policy: AlgorithmPolicy; now: Date },
  options: OpenOptions = {},
): Promise<RenewalOutcome> {
  const next = await pdfRenewal(source, at, options)
  if (next === null) return { kind: 'no-archive-timestamp' }
  if (next.end <= at.now) return { kind: 'lapsed', since: next.end, reason: next.reason }
  if (next.from > at.now) return { kind: 'not-yet', next }
  return { kind: 'renewed', pdf: await extendPdf(source, 'B-LTA', sources, options) }
}

/**
 * When the document needs its next archive time-stamp, by its last one; null without one.
 *
 * @throws SigningError `signing/signature-broken` something in the document does not fit; codes as openDocument
 */
async function pdfRenewal(
  source: RandomAccess,
  { policy, now }: { policy: AlgorithmPolicy; now: Date },
  options: OpenOptions = {},
): Promise<Renewal | null> {
  const document = await openDocument(source, options)
  const signatures = await readSignatures(document, (ranges, digest) => digestRanges(source, ranges, digest))
  const last = signatures.at(-1)
  if (last?.kind !== 'timestamp') return null
  const { certificate } = await timestampLeaf(last.token, false)
  return nextRenewal(last.token, certificate, policy, now)
}
