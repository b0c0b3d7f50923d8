/**
 * Which level a seal gets, and how near to it one comes now (ETSI EN 319 142-1 §6).
 *
 * B-T comes at once. B-LT needs revocation data from after the seal, which may take a while; without a time-stamping
 * authority there is B-B only.
 */
import { SigningError, sealPdf, sealPdfToLevel } from '../signing/index.ts'
import type {
  AdesLevel,
  LevelSources,
  RandomAccess,
  SealMark,
  SealRequest,
  SealedPdf,
  SigningKey,
} from '../signing/index.ts'
import { GatewayError } from './errors.ts'

export type SealLevel = 'B-B' | AdesLevel
export const SEAL_LEVELS: readonly SealLevel[] = ['B-B', 'B-T', 'B-LT', 'B-LTA']

/** What a person may wish of a seal. */
export interface SealWishes {
  /** absent: the level that the installation makes by default */
  level?: SealLevel
  reason?: string
  location?: string
}

/** What the installation can do. */
export interface SealSetup {
  /** time-stamps and revocation data; null: no authority is set up */
  sources: LevelSources | null
  level: SealLevel
  /** a visible mark on every seal; absent: none */
  mark?: (signedAt: Date) => SealMark
}

export interface SealJob {
  setup: SealSetup
  wishes: SealWishes
  signedAt: Date
}

/**
 * Seals to the level that was asked for, or as near as is possible now.
 *
 * @throws GatewayError `gateway/not-configured`; SigningError as sealPdf
 */
export async function sealToLevel(
  source: RandomAccess,
  key: SigningKey,
  job: SealJob,
): Promise<{ sealed: SealedPdf; level: SealLevel; wanted: SealLevel }> {
  const request = requestOf(job)
  const { level: wanted, sources } = levelOf(job)
  if (wanted === 'B-B' || sources === null) {
    return { sealed: await sealPdf(source, key, request), level: 'B-B', wanted: 'B-B' }
  }
  for (const level of DOWN_FROM[wanted]) {
    try {
      return { sealed: await sealPdfToLevel(source, key, request, { level, sources }), level, wanted }
    } catch (error) {
      if (!(error instanceof SigningError) || !WAITS.has(error.code)) throw error
    }
  }
  return { sealed: await sealPdf(source, key, request), level: 'B-B', wanted }
}

/** What is asked for, and from whom. @throws GatewayError `gateway/not-configured` */
export function levelOf({ setup, wishes }: Pick<SealJob, 'setup' | 'wishes'>): {
  level: SealLevel
  sources: LevelSources | null
} {
  const level = wishes.level ?? setup.level
  if (level !== 'B-B' && setup.sources === null) throw new GatewayError('gateway/not-configured')
  return { level, sources: setup.sources }
}

export function requestOf({ setup: { mark }, wishes: { reason, location }, signedAt }: SealJob): SealRequest {
  return {
    signedAt,
    ...(reason === undefined ? {} : { reason }),
    ...(location === undefined ? {} : { location }),
    ...(mark === undefined ? {} : { mark: mark(signedAt) }),
  }
}

const DOWN_FROM: Readonly<Record<AdesLevel, readonly AdesLevel[]>> = {
  'B-T': ['B-T'],
  'B-LT': ['B-LT', 'B-T'],
  'B-LTA': ['B-LTA', 'B-T'],
}
/** Faults of others that pass: the seal itself does not wait for them. */
const WAITS: ReadonlySet<string> = new Set(['signing/timestamp-unavailable', 'signing/evidence-missing'])
