/**
 * Answers how qualified a signature and a time-stamp are, from accepted lists (ETSI TS 119 615 §4; eIDAS Art. 25–42).
 *
 * A certificate must be qualified when it was issued and when the signature was proven to exist; its key must be in a
 * qualified device then. Lists that are too old answer nothing.
 */
import type { QualificationQuestion, Qualifier, TimestampQuestion } from '../../validation/qualifier.ts'
import type { QualificationKind, QualificationReport } from '../../validation/report.ts'
import type { Certificate } from '../certificate.ts'
import { claimedType } from '../qc-statements.ts'
import type { AcceptedList } from './check-list.ts'
import { ageOf, listReport } from './list-age.ts'
import type { AgeLimits } from './list-age.ts'
import { isGoodStatus, standingAt } from './qualification-at.ts'
import type { Standing } from './qualification-at.ts'
import { stateAt } from './service-index.ts'
import type { FoundService, ServiceIndex } from './service-index.ts'

export interface ListedServices {
  /** null: national lists were given without one */
  listOfLists: AcceptedList | null
  lists: readonly AcceptedList[]
  index: ServiceIndex
}

/** Answers for one validation at `limits.at`; `lists` names those that its answers so far rest upon. */
export function createQualifier(services: ListedServices, limits: AgeLimits): Qualifier {
  const used = new Set<AcceptedList>()
  const inquiry: Inquiry = {
    limits,
    find(chain, prefix) {
      const found = services.index.find(chain, prefix)
      for (const { list } of found) used.add(list)
      return found
    },
    isTooOld: (list) =>
      [list, services.listOfLists].some((one) => one !== null && ageOf(one.list, limits) === 'too-old'),
  }
  return {
    qualify: (question) => qualify(inquiry, question),
    isQualifiedTimestamp: (question) => (services.lists.length === 0 ? null : judgeTimestamp(inquiry, question)),
    get lists() {
      const { listOfLists, lists } = services
      const named = [listOfLists, ...lists.filter((list) => used.has(list))]
      return named.flatMap((list) => (list === null ? [] : [listReport(list, limits)]))
    },
  }
}

interface Inquiry {
  limits: AgeLimits
  find: ServiceIndex['find']
  isTooOld: (list: AcceptedList) => boolean
}

function qualify(inquiry: Inquiry, { certificate, path, anchor, issuedAt, bestTime }: QualificationQuestion) {
  const found = inquiry.find(issuersIn(path, anchor.certificate), 'CA/')
  if (found.length === 0) return advanced(certificate, null, ['no trusted list at hand names the issuer'])
  const old = found.find(({ list }) => inquiry.isTooOld(list))
  if (old !== undefined) {
    const remark = `the trusted list of ${old.list.list.territory} is too old to tell`
    return report('undetermined', proofOf(old, bestTime), [remark])
  }
  const issued = agreed(certificate, found, issuedAt)
  const signed = agreed(certificate, found, bestTime)
  return conclude(certificate, { issued, signed, proof: proofOf(found[0], bestTime) }, ageRemarks(inquiry, found))
}

interface Outcome {
  issued: Standing
  signed: Standing
  proof: QualificationReport['proof']
}

function conclude(certificate: Certificate, outcome: Outcome, remarks: string[]): QualificationReport {
  const { issued, signed, proof } = outcome
  const reasons = [
    remarkOf(issued, 'when the certificate was issued'),
    remarkOf(signed, 'at the time of the signature'),
  ]
  const all = [...remarks, ...reasons.filter((reason) => reason !== null)]
  const type = signed.kind === 'clear' ? signed.type : claimedType(certificate)
  if (isRefused(issued) || isRefused(signed)) return advanced(certificate, proof, all, type)
  if (issued.kind === 'conflict' || signed.kind === 'conflict') return report('undetermined', proof, all)
  if (type === 'web') return report('none', proof, [...all, 'a certificate for web sites makes no signatures'])
  const form = type === 'eseal' ? 'Seal' : 'Sig'
  return report(signed.device ? `QE${form}` : `AdE${form}-QC`, proof, all)
}

/** Not qualified at one of the two times is enough, whatever is unclear at the other. */
const isRefused = (standing: Standing): boolean => standing.kind === 'clear' && !standing.qualified

/** One standing of all services that were there at `time`; those that differ are a conflict (TS 119 615 §4.5.4). */
function agreed(certificate: Certificate, found: readonly FoundService[], time: Date): Standing {
  const states = found.map(({ service }) => stateAt(service, time)).filter((state) => state !== null)
  const standings = states.map((state) => standingAt(certificate, state, time))
  const unclear = standings.find(({ kind }) => kind === 'conflict')
  if (unclear !== undefined) return unclear
  const [first, ...others] = standings
  if (first === undefined) {
    const type = claimedType(certificate)
    return { kind: 'clear', qualified: false, device: false, type, remark: 'the service was not listed yet' }
  }
  const same = others.every((other) => answerOf(other) === answerOf(first))
  return same ? first : { kind: 'conflict', remark: 'conflict: services of the trusted list contradict each other' }
}

const answerOf = (standing: Standing): string =>
  standing.kind === 'conflict' ? 'conflict' : JSON.stringify([standing.qualified, standing.device, standing.type])

function remarkOf({ remark }: Standing, when: string): string | null {
  return remark === null ? null : `${remark} (${when})`
}

function judgeTimestamp(inquiry: Inquiry, { certificate, path, anchor, genTime }: TimestampQuestion): boolean | null {
  const found = inquiry.find([certificate, ...path, anchor.certificate], 'TSA')
  if (found.some(({ list }) => inquiry.isTooOld(list))) return null
  const states = found.map(({ service }) => stateAt(service, genTime)).filter((state) => state !== null)
  const answers = new Set(states.map((state) => state.type === 'TSA/QTST' && isGoodStatus(state.status, genTime)))
  const isUnclear = states.some(({ unknownExtension }) => unknownExtension !== null)
  return isUnclear || answers.size > 1 ? null : answers.has(true)
}

/** Nearest first; the signer itself only where it is the anchor. */
function issuersIn(path: readonly Certificate[], anchor: Certificate): Certificate[] {
  return [...path.slice(1), anchor]
}

function ageRemarks(inquiry: Inquiry, found: readonly FoundService[]): string[] {
  const overdue = found.filter(({ list }) => ageOf(list.list, inquiry.limits) !== 'current')
  const territories = new Set(overdue.map(({ list }) => list.list.territory))
  return [...territories].map((territory) => `the trusted list of ${territory} is overdue`)
}

/** No qualified certificate: an advanced signature or seal at most. */
function advanced(
  certificate: Certificate,
  proof: QualificationReport['proof'],
  remarks: string[],
  type = claimedType(certificate),
): QualificationReport {
  if (type === 'web') return report('none', proof, [...remarks, 'a certificate for web sites makes no signatures'])
  const isSeal = type === null ? looksLikeSeal(certificate) : type === 'eseal'
  return report(isSeal ? 'AdESeal' : 'AdESig', proof, remarks)
}

/** ETSI EN 319 412-3 §4.2.1: an organisation with its identifier, and no person. */
function looksLikeSeal({ subject }: Certificate): boolean {
  const types = new Set(subject.attributes.map(({ type }) => type))
  return types.has(ORGANIZATION_IDENTIFIER) && !PERSON.some((type) => types.has(type))
}

function report(kind: QualificationKind, proof: QualificationReport['proof'], remarks: string[]): QualificationReport {
  return { kind, provisional: false, proof, remarks }
}

function proofOf(found: FoundService | undefined, time: Date): QualificationReport['proof'] {
  if (found === undefined) return null
  const { list, service } = found
  return {
    territory: list.list.territory,
    sequence: list.list.sequence,
    listSha256: list.sha256,
    provider: service.provider,
    service: service.name,
    status: stateAt(service, time)?.status ?? 'not listed yet',
  }
}

const ORGANIZATION_IDENTIFIER = '2.5.4.97'
/** givenName, surname, pseudonym */
const PERSON = ['2.5.4.42', '2.5.4.4', '2.5.4.65']
