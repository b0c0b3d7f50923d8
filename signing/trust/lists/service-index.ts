/**
 * Which listed services stand behind a certificate (ETSI TS 119 615 §4.4).
 *
 * A service is found by its public key together with the name of its holder; where the list gives no certificate, by
 * the identifier of its key.
 */
import { createHash } from 'node:crypto'
import { TAG, childrenOf, decode } from '../../asn1/der.ts'
import { readBits } from '../fields.ts'
import type { Certificate } from '../certificate.ts'
import type { AcceptedList } from './check-list.ts'
import type { ListedService, ServiceState } from './model.ts'

export interface FoundService {
  list: AcceptedList
  service: ListedService
}

export interface ServiceIndex {
  /**
   * Services of the first certificate in `chain` that any fitting service stands behind.
   *
   * @param chain from the signer upwards
   * @param prefix of the service type at any time: `CA/`, `TSA`
   */
  find(chain: readonly Certificate[], prefix: string): readonly FoundService[]
}

export function indexServices(lists: readonly AcceptedList[]): ServiceIndex {
  const byKey = new Map<string, FoundService[]>()
  const byIdentifier = new Map<string, FoundService[]>()
  for (const list of lists) {
    for (const service of list.list.services) {
      const found = { list, service }
      const keys = new Set(service.certificates.map(keyOf))
      for (const key of keys) add(byKey, key, found)
      if (keys.size === 0) for (const identifier of service.keyIdentifiers) add(byIdentifier, identifier, found)
    }
  }
  return {
    find(chain, prefix) {
      for (const certificate of chain) {
        const named = byKey.get(keyOf(certificate)) ?? []
        const found = [...named, ...(byIdentifier.get(keyIdentifierOf(certificate)) ?? [])]
        const fitting = found.filter(({ service }) => service.states.some(({ type }) => type.startsWith(prefix)))
        if (fitting.length > 0) return fitting
      }
      return []
    },
  }
}

/** What the list says about the service at `time`; null: nothing yet. */
export function stateAt(service: ListedService, time: Date): ServiceState | null {
  return service.states.find(({ from }) => from <= time) ?? null
}

function keyOf({ spki, subject }: Certificate): string {
  return createHash('sha256').update(spki).update(subject.key).digest('base64')
}

/** Computed, not read: an identifier that a certificate gives itself could be anybody's (RFC 5280 §4.2.1.2, method 1). */
function keyIdentifierOf({ spki }: Certificate): string {
  const [, key] = childrenOf(decode(spki), TAG.sequence)
  return createHash('sha1').update(readBits(key)).digest('hex')
}

function add(index: Map<string, FoundService[]>, key: string, found: FoundService): void {
  const same = index.get(key)
  if (same === undefined) index.set(key, [found])
  else same.push(found)
}
