/** Running digests under names, kept from request to request. */
import { createHash } from 'node:crypto'

import { Crc32c } from './crc32c.ts'

export type DigestAlgorithm = 'sha1' | 'sha256' | 'crc32c'

export type DigestRequest =
  | { kind: 'digest-start'; name: string; algorithm: DigestAlgorithm }
  | { kind: 'digest-copy'; name: string; to: string }
  | { kind: 'digest-end'; name: string }
  | { kind: 'digest-drop'; name: string }

interface RunningDigest {
  update(bytes: Uint8Array): unknown
  digest(): Buffer
  copy?: () => RunningDigest
}

export interface KeptDigests {
  feed(names: readonly string[], bytes: Uint8Array): void
  /** The digest in hex when one ends; null otherwise, also when there is none of that name. */
  answer(request: DigestRequest): string | null
}

export function keptDigests(): KeptDigests {
  const digests = new Map<string, RunningDigest>()
  return {
    feed: (names, bytes) => {
      for (const name of names) digests.get(name)?.update(bytes)
    },
    answer: (request) => {
      const digest = digests.get(request.name)
      switch (request.kind) {
        case 'digest-start':
          digests.set(request.name, request.algorithm === 'crc32c' ? new Crc32c() : createHash(request.algorithm))
          return null
        case 'digest-copy': {
          const copied = digest?.copy?.()
          if (copied) digests.set(request.to, copied)
          return null
        }
        case 'digest-end':
          digests.delete(request.name)
          return digest?.digest().toString('hex') ?? null
        case 'digest-drop':
          digests.delete(request.name)
          return null
      }
    },
  }
}
