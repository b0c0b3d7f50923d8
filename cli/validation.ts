/** What a validation is made with: whom it believes, and where evidence that a document lacks comes from. */
import type { TrustConfig } from './config-trust.ts'
import type { Trust } from './trust.ts'
import { createFetchCache, createOnline } from '../signing/index.ts'
import type { EvidenceSource, Http, ValidationOptions } from '../signing/index.ts'
import type { World } from '../storage/index.ts'

export interface Validation {
  evidence: EvidenceSource
  /** `at`: the time of the validation */
  options: (at: Date) => Promise<Omit<ValidationOptions, 'detached' | 'password'>>
}

export interface ValidationDeps {
  config: Pick<TrustConfig, 'online'>
  world: Pick<World, 'clock' | 'random'>
  trust: Trust
  http: Http
  /** for one exchange with the network */
  timeoutMs: number
  /** name and version of this program, for reports */
  producer: string
}

export function createValidation({ config, world, trust, http, timeoutMs, producer }: ValidationDeps): Validation {
  const cache = createFetchCache()
  const evidence: EvidenceSource = {
    async collect(leaves, given) {
      const { anchors, formerServices } = await trust.current()
      const reach = config.online ? http : null
      const online = { http: reach, anchors, formerServices, now: world.clock, random: world.random, cache, timeoutMs }
      return createOnline(online).collect(leaves, given)
    },
  }
  return {
    evidence,
    options: async (at) => {
      const { anchors, qualifier } = await trust.current()
      return { anchors, now: at, producer, online: config.online ? evidence : null, qualifier: qualifier(at) }
    },
  }
}
