/**
 * Accepted lists as the validation uses them: anchors, and the answers about qualification. Made once per set of lists.
 */
import type { Qualifier } from '../../validation/qualifier.ts'
import type { ListReport } from '../../validation/report.ts'
import type { Certificate } from '../certificate.ts'
import type { TrustAnchor } from '../trust-anchor.ts'
import { anchorsOf } from './anchors.ts'
import type { AcceptedList } from './check-list.ts'
import { listReport } from './list-age.ts'
import type { AgeLimits } from './list-age.ts'
import { createQualifier } from './qualifier.ts'
import { indexServices } from './service-index.ts'

/** Lists that were verified together; nothing in it is taken on trust again. */
export interface ListSnapshot {
  listOfLists: AcceptedList | null
  /** those that lead from the pinned certificates to the signer of `listOfLists`, the oldest first */
  pivots: readonly AcceptedList[]
  /** national lists, one per territory */
  lists: readonly AcceptedList[]
}

export const NO_LISTS: ListSnapshot = { listOfLists: null, pivots: [], lists: [] }

export interface TrustedLists {
  anchors: readonly TrustAnchor[]
  /** a fresh one for each validation: its `lists` are those that its answers rest upon */
  qualifier: (limits: AgeLimits) => Qualifier
  /** Is this the authority of a provider in `territory` whose services have all lost their status? */
  hasStopped: (issuer: Certificate, territory: string) => boolean
  /** all lists, the list of the lists first */
  reports: (limits: AgeLimits) => ListReport[]
}

export function createTrustedLists(snapshot: ListSnapshot): TrustedLists {
  const { listOfLists, lists } = snapshot
  const services = { listOfLists, lists, index: indexServices(lists) }
  return {
    anchors: anchorsOf(lists),
    qualifier: (limits) => createQualifier(services, limits),
    hasStopped(issuer, territory) {
      const found = services.index.find([issuer], 'CA/').filter(({ list }) => list.list.territory === territory)
      return found.length > 0 && found.every(({ service }) => !IN_SERVICE.has(service.states[0]?.status ?? ''))
    },
    reports: (limits) => [listOfLists, ...lists].flatMap((list) => (list === null ? [] : [listReport(list, limits)])),
  }
}

const IN_SERVICE: ReadonlySet<string> = new Set(['granted', 'recognisedatnationallevel', 'setbynationallaw'])
