/** Signatures of this installation: time-stamps and revocation data for what is sealed, validation of what comes in. */
import { readSecret, type Config } from './config.ts'
import { sealMarkOf } from './seal-mark.ts'
import type { Trust } from './trust.ts'
import type { SealSetup, Validate } from '../gateway/index.ts'
import {
  createFetchCache,
  createOnline,
  isTrustedTimestamper,
  timestampClient,
  validateDocument,
} from '../signing/index.ts'
import type { EvidenceSource, Http, TimestampService, TimestampSource, ValidationOptions } from '../signing/index.ts'
import type { World } from '../storage/index.ts'

export interface Signatures {
  setup: SealSetup
  /** what a validation is made with now; `at`: another time than now */
  options: (at?: Date) => Promise<Omit<ValidationOptions, 'detached' | 'password'>>
  validate: Validate
}

export interface SignaturesDeps {
  config: Config
  world: World
  trust: Trust
  /** `toAuthority`: may reach the own network, for addresses from the configuration alone */
  http: { public: Http; toAuthority: Http }
  producer: string
}

export function createSignatures({ config, world, trust, http, producer }: SignaturesDeps): Signatures {
  const { signatures, trust: trustConfig } = config
  const timeoutMs = signatures.timeoutSeconds * 1000
  const cache = createFetchCache()
  const evidence: EvidenceSource = {
    async collect(leaves, given) {
      const { anchors, formerServices } = await trust.current()
      const reach = trustConfig.online ? http.public : null
      const online = { http: reach, anchors, formerServices, now: world.clock, random: world.random, cache, timeoutMs }
      return createOnline(online).collect(leaves, given)
    },
  }
  const timestamps = timestampsOf({ config, world, trust, http: http.toAuthority, timeoutMs })
  const options: Signatures['options'] = async (at = world.clock()) => {
    const { anchors, qualifier } = await trust.current()
    return { anchors, now: at, producer, online: trustConfig.online ? evidence : null, qualifier: qualifier(at) }
  }
  const mark = sealMarkOf(config)
  return {
    setup: {
      ...(mark === null ? {} : { mark }),
      sources: timestamps === null ? null : { timestamps, evidence },
      level: signatures.level ?? (timestamps === null ? 'B-B' : 'B-T'),
    },
    options,
    validate: async (document, content) =>
      validateDocument(document, { ...(await options()), detached: () => content }),
  }
}

interface TimestampDeps {
  config: Config
  world: World
  trust: Trust
  http: Http
  timeoutMs: number
}

/** Null: none is configured. */
function timestampsOf({ config, world, trust, http, timeoutMs }: TimestampDeps): TimestampSource | null {
  const [first, ...others] = config.signatures.timestampServices.map(serviceOf)
  if (first === undefined) return null
  return timestampClient({
    ...{ services: [first, ...others], http, now: world.clock, random: world.random, timeoutMs },
    trusts: async (certificate, at, pool) =>
      isTrustedTimestamper({ certificate, at, pool, anchors: (await trust.current()).anchors }),
  })
}

function serviceOf({
  url,
  policy,
  userFile,
  passwordFile,
}: Config['signatures']['timestampServices'][number]): TimestampService {
  return {
    url,
    ...(policy === undefined ? {} : { policy }),
    ...(userFile === undefined || passwordFile === undefined
      ? {}
      : {
          credentials: {
            user: readSecret(userFile, 'signatures.timestampServices.userFile'),
            password: readSecret(passwordFile, 'signatures.timestampServices.passwordFile'),
          },
        }),
  }
}
