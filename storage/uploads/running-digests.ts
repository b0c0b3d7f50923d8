/**
 * The SHA-256 of uploads while they grow, from request to request.
 *
 * It lives in a sealing thread's memory and fits exactly one offset. When the bytes went through another process, or this
 * one was restarted, it is lost, and a `fingerprint` job reads the finished file once.
 */
import type { Sealer } from '../cipher/sealer.ts'
import type { UploadId } from '../ids.ts'

const MOST = 10_000

export interface RunningDigest {
  /** to feed; null = lost */
  name: string | null
  /** The request ended well at this offset. */
  reached(offset: number): void
  /** Nothing of the request counts; does nothing after `reached` or `over`. */
  backTo(offset: number): void
  /** The upload is whole: nothing more is to be hashed. */
  over(): void
  /** The digest in hex, null when it is lost. `over` or `backTo` must still be called. */
  finish(): Promise<string | null>
}

export interface RunningDigests {
  begin(id: UploadId, offset: number): RunningDigest
  forget(id: UploadId): void
}

export function createRunningDigests(sealer: Sealer): RunningDigests {
  const offsets = new Map<UploadId, number>()

  const forget = (id: UploadId): void => {
    if (!offsets.delete(id)) return
    sealer.lane(id).dropDigest(id)
  }

  const remember = (id: UploadId, offset: number): void => {
    offsets.delete(id)
    offsets.set(id, offset)
    const [oldest] = offsets.keys()
    if (offsets.size > MOST && oldest !== undefined) forget(oldest)
  }

  return {
    forget,
    begin: (id, offset) => {
      const lane = sealer.lane(id)
      const before = `${id} before`
      if (offset === 0) {
        lane.startDigest(id, 'sha256')
        remember(id, 0)
      }
      const known = offsets.get(id) === offset
      if (known) lane.copyDigest(id, before)
      else forget(id)
      let settled = false
      return {
        name: known ? id : null,
        reached: (now) => {
          settled = true
          lane.dropDigest(before)
          if (known) remember(id, now)
        },
        backTo: (now) => {
          if (settled) return
          if (known && now === offset) lane.copyDigest(before, id)
          else forget(id)
          lane.dropDigest(before)
        },
        over: () => {
          settled = true
          lane.dropDigest(before)
          forget(id)
        },
        finish: async () => (known ? lane.endDigest(id) : null),
      }
    },
  }
}
