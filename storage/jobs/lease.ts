/** Keeps a claim alive for as long as its handler runs, so that leases can be short and lost runners are soon replaced. */
import type { World } from '../world.ts'
import type { Claims } from './claims.ts'
import { codeOf } from './fault-code.ts'
import type { ClaimedJob } from './job.ts'

export interface KeptLease {
  /** when it ends unless it is renewed again */
  until: () => Date
  letGo: () => void
}

export interface LeaseDeps extends Pick<World, 'log'> {
  readonly claims: Pick<Claims, 'renew'>
  readonly leaseMs: number
  /** a third of the lease at most, so that one renewal may fail */
  readonly renewMs: number
}

/** @param lost called when another claim was made, or the job was dropped */
export function keepLease({ claims, log, leaseMs, renewMs }: LeaseDeps, job: ClaimedJob, lost: () => void): KeptLease {
  let until = job.leaseUntil
  const renew = async (): Promise<void> => {
    try {
      const renewed = await claims.renew(job, leaseMs)
      if (renewed === null) lost()
      else until = renewed
    } catch (error) {
      log.warn({ job: job.id, code: codeOf(error) }, 'renewing the lease of a job failed')
    }
  }
  const timer = setInterval(() => void renew(), renewMs)
  timer.unref()
  return {
    until: () => until,
    letGo: () => {
      clearInterval(timer)
    },
  }
}
