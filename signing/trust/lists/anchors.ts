/**
 * Trust anchors out of accepted lists (ETSI TS 119 615 §4.4, TS 119 172-4 §4.2).
 *
 * A service that lost its status stays an anchor without an end: what it issued is no longer qualified (qualifier.ts),
 * but whoever signed with it has signed. When it was listed decides the qualification, not the path.
 */
import type { TrustAnchor, TrustPurpose } from '../trust-anchor.ts'
import type { AcceptedList } from './check-list.ts'
import type { ListedService, ServiceState } from './model.ts'

/** One anchor per certificate and purpose; of services in several entries the first names it. */
export function anchorsOf(lists: readonly AcceptedList[]): TrustAnchor[] {
  const found = new Map<string, TrustAnchor>()
  for (const accepted of lists) {
    for (const service of accepted.list.services) {
      const purposes = purposesOf(service)
      if (purposes.length === 0) continue
      const source = sourceText(accepted, service)
      for (const certificate of service.certificates) {
        const key = `${certificate.sha256} ${purposes.join()}`
        if (!found.has(key)) found.set(key, { certificate, purposes, source })
      }
    }
  }
  return [...found.values()]
}

function purposesOf({ states }: ListedService): readonly TrustPurpose[] {
  const [current] = states
  // what cannot be understood must not be trusted; what was never in order neither
  if (current?.unknownExtension !== null || !states.some(wasInOrder)) return []
  return PURPOSES.find(([prefix]) => states.some(({ type }) => isBelow(type, prefix)))?.[1] ?? []
}

const isBelow = (type: string, prefix: string): boolean => type === prefix || type.startsWith(`${prefix}/`)

/** TS 119 612 §5.5.4, qualified and national services. */
const wasInOrder = ({ status }: ServiceState): boolean => IN_ORDER.has(status)

function sourceText({ list }: AcceptedList, { provider, name, states }: ListedService): string {
  return `trusted list ${list.territory} ${list.sequence}: ${provider}, ${name} (${states[0]?.type ?? ''})`
}

/** Whoever has the purpose `revocation` may answer for certificates of others (RFC 6960 §4.2.2.2); an authority may not. */
const PURPOSES: readonly (readonly [type: string, purposes: readonly TrustPurpose[]])[] = [
  ['CA', ['signing']],
  ['NationalRootCA-QC', ['signing']],
  ['TSA', ['timestamping']],
  ['Certstatus', ['revocation']],
]

const IN_ORDER: ReadonlySet<string> = new Set([
  'granted',
  'recognisedatnationallevel',
  'setbynationallaw',
  'undersupervision',
  'supervisionincessation',
  'accredited',
])
