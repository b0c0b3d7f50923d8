/**
 * A thread of `serve` that validates documents: reads the trusted lists and anchors itself, reaches documents and the
 * network through the main thread alone. Its time is that of each order.
 */
import { randomBytes } from 'node:crypto'
import { workerData } from 'node:worker_threads'
import type { TrustConfig } from './config-trust.ts'
import { createTrust } from './trust.ts'
import { createValidation } from './validation.ts'
import { validateWhenAsked } from '../signing/index.ts'

export interface ValidationThreadData {
  config: TrustConfig
  timeoutMs: number
  producer: string
}

const { config, timeoutMs, producer } = workerData as ValidationThreadData

await validateWhenAsked((http) => {
  let now = new Date(0)
  const world = { clock: () => now, random: (size: number) => randomBytes(size) }
  const trust = createTrust({ config, world, http })
  const validation = createValidation({ config, world, trust, http, timeoutMs, producer })
  return (at) => {
    now = at
    return validation.options(at)
  }
})
