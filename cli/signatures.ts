/** Signatures of this installation: time-stamps and revocation data for what is sealed, validation of what comes in. */
import { readSecret, type Config } from './config.ts'
import { sealMarkOf } from './seal-mark.ts'
import type { Trust } from './trust.ts'
import type { SealSetup, Validate } from '../gateway/index.ts'
import { createValidationThreads, isTrustedTimestamper, startWorker, timestampClient } from '../signing/index.ts'
import type { Http, TimestampService, TimestampSource } from '../signing/index.ts'
import type { World } from '../storage/index.ts'
import { createValidation } from './validation.ts'
import type { Validation } from './validation.ts'
import type { ValidationThreadData } from './validation.worker.ts'

export interface Signatures {
  setup: SealSetup
  /** what a validation in this thread is made with */
  options: Validation['options']
  /** in threads of its own, as of now */
  validate: Validate
  close: () => Promise<void>
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
  const { signatures } = config
  const timeoutMs = signatures.timeoutSeconds * 1000
  const validation = createValidation({ config: config.trust, world, trust, http: http.public, timeoutMs, producer })
  const threads = createValidationThreads({
    start: () => startValidationThread({ config: config.trust, timeoutMs, producer }),
    http: http.public,
    threads: VALIDATION_THREADS,
    limits: { thinkingMs: config.limits.validationSeconds * 1000, networkMs: MOST_NETWORK_MS },
  })
  const timestamps = timestampsOf({ config, world, trust, http: http.toAuthority, timeoutMs })
  const mark = sealMarkOf(config)
  return {
    setup: {
      ...(mark === null ? {} : { mark }),
      sources: timestamps === null ? null : { timestamps, evidence: validation.evidence },
      level: signatures.level ?? (timestamps === null ? 'B-B' : 'B-T'),
    },
    options: validation.options,
    validate: (document, content) => threads.validate({ document, content, now: world.clock() }),
    close: threads.close,
  }
}

function startValidationThread(workerData: ValidationThreadData): ReturnType<typeof startWorker> {
  const resourceLimits = { maxOldGenerationSizeMb: THREAD_MEMORY_MB }
  return startWorker(import.meta.url, 'validation', { workerData, resourceLimits })
}

/** One hostile document keeps one of them. */
const VALIDATION_THREADS = 2
/** for objects of a thread, the trusted lists included; file contents lie beside that, 64 MiB at most for a format that is not streamed */
const THREAD_MEMORY_MB = 768
const MOST_NETWORK_MS = 30_000

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
