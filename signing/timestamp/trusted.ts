/** Is an authority one that we believe when it stamps for us? Path and purpose; its status is asked when evidence is collected. */
import type { Certificate } from '../trust/certificate.ts'
import { buildPaths, validatePath } from '../trust/path.ts'
import type { TrustAnchor } from '../trust/path.ts'

export interface TimestamperQuestion {
  certificate: Certificate
  /** the time in the token */
  at: Date
  /** certificates that may lie between */
  pool: readonly Certificate[]
  anchors: readonly TrustAnchor[]
}

/** True when a valid path leads to an anchor that is meant for time-stamps. */
export function isTrustedTimestamper({ certificate, at, pool, anchors }: TimestamperQuestion): boolean {
  const meant = anchors.filter(({ purposes }) => purposes?.includes('timestamping') ?? true)
  return buildPaths(certificate, pool, meant).some((path) => validatePath(path, { time: at }).kind === 'valid')
}
