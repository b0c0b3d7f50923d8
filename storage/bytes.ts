/**
 * Everything of storage that moves sealed bytes, assembled once per process: contents, uploads, the handlers of their
 * jobs, and the search for leftovers.
 */
import { availableParallelism } from 'node:os'

import { createByteJobs, type ByteJobHandlers } from './byte-jobs.ts'
import { SEALED_CHUNK_BYTES } from './cipher/chunks.ts'
import { createSealer } from './cipher/sealer.ts'
import { createContents, type Contents } from './contents.ts'
import { createPartMemory } from './segments/part-memory.ts'
import { createLeftovers, type Leftovers } from './leftovers.ts'
import { createUploads, type Uploads } from './uploads.ts'
import type { UploadDeps } from './uploads/finish.ts'

export interface ByteLimits {
  /** memory for parts on their way to the object store, all uploads together, bytes */
  partMemoryBytes: number
  /** the same for uploads that come slowly, beside those, bytes */
  slowPartMemoryBytes: number
  /** room that new uploads leave free in the object store, bytes */
  reserveBytes: number
  /** threads for sealing and hashing; null = as many as the machine has cores, from 2 to 4 */
  sealingThreads: number | null
}

const BYTE_LIMITS: ByteLimits = {
  // Eight parts of 128 chunks onto S3, as many as one upload has on its way, or two parts of 512; FORMAT.md, "Parts".
  partMemoryBytes: 2 * 512 * SEALED_CHUNK_BYTES,
  // 24 slow lines onto S3, 192 onto files, or one with parts of 2,048 chunks.
  slowPartMemoryBytes: 6 * 512 * SEALED_CHUNK_BYTES,
  reserveBytes: 1024 * 1024 * 1024,
  sealingThreads: null,
}

/** Who sends less than 1 MiB (a region, see part.ts) in so long is slow: below 2 MiB/s. */
const SLOW_AFTER_MS = 500

export interface Bytes {
  contents: Contents
  uploads: Uploads
  /** handlers of `fingerprint`, `expire` and `erase` */
  jobHandlers: ByteJobHandlers
  leftovers: Leftovers
  /** Lets go of leases and ends the sealing threads; the object store is closed by whoever opened it. */
  close(): Promise<void>
}

export function createBytes(deps: Omit<UploadDeps, 'sealer' | 'memory'> & { limits?: Partial<ByteLimits> }): Bytes {
  const limits = { ...BYTE_LIMITS, ...deps.limits }
  const sealer = createSealer({ threads: limits.sealingThreads ?? Math.max(2, Math.min(4, availableParallelism())) })
  const memory = createPartMemory({
    budgetBytes: limits.partMemoryBytes,
    slowBytes: limits.slowPartMemoryBytes,
    slowAfterMs: SLOW_AFTER_MS,
  })
  const parts = { ...deps, sealer, memory }
  const contents = createContents(parts)
  const uploads = createUploads({ ...parts, reserveBytes: limits.reserveBytes })
  return {
    contents,
    uploads,
    jobHandlers: createByteJobs({ ...parts, contents, uploads }),
    leftovers: createLeftovers(parts),
    close: async () => {
      await uploads.close()
      await sealer.close()
    },
  }
}
