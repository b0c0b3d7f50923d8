/**
 * A trusted list as this program sees it (ETSI TS 119 612 §5): who runs it, where other lists are, which services it names.
 *
 * Plain data, read by read-list.ts; says nothing about whether the list may be believed (check-list.ts does).
 */
import type { Certificate, KeyUsageBit } from '../certificate.ts'

export interface TrustedList {
  /** TSLVersionIdentifier */
  version: number
  sequence: number
  /** last part of the TSLType URI: `EUgeneric`, `EUlistofthelists` */
  type: string
  /** two letters; `EU` for the list of the lists */
  territory: string
  /** name of the scheme operator, English where there is one */
  operator: string
  issuedAt: Date
  /** null: the list is closed, no further one will follow (§5.3.15) */
  nextUpdate: Date | null
  /** SchemeInformationURI in its order; the list of the lists names its pivots and the Official Journal here */
  information: readonly string[]
  pointers: readonly ListPointer[]
  services: readonly ListedService[]
}

/** Where another list is and who may have signed it (§5.3.13). */
export interface ListPointer {
  location: string
  /** last part of the TSLType URI; empty: not given, as all fields below */
  type: string
  territory: string
  mimeType: string
  /** URIs of the scheme rules */
  rules: readonly string[]
  /** one of these signed the list */
  certificates: readonly Certificate[]
}

export interface ListedService {
  provider: string
  name: string
  /** certificates that stand for the service, those of its history included */
  certificates: readonly Certificate[]
  /** for services that are named without a certificate: SHA-1 of their keys, hexadecimal */
  keyIdentifiers: ReadonlySet<string>
  /** the newest first; every state lasts until the one before it in this array begins */
  states: readonly ServiceState[]
}

export interface ServiceState {
  /** part of the type URI behind `Svctype/`, or the whole URI: `CA/QC`, `TSA/QTST` */
  type: string
  /** last part of the status URI, or the whole of it: `granted`, `withdrawn` */
  status: string
  from: Date
  /** what a CA/QC service is listed for; empty: not said */
  scopes: ReadonlySet<ServiceScope>
  qualifications: readonly Qualification[]
  /** a critical extension that this program does not know: nothing can be derived from this state; null: none */
  unknownExtension: string | null
}

export type ServiceScope = 'esign' | 'eseal' | 'web'

/** Qualifiers that hold for the certificates that fit the criteria (§5.5.9.2). */
export interface Qualification {
  /** last parts of the qualifier URIs, or whole foreign ones */
  qualifiers: readonly string[]
  criteria: Criterion
}

export type Criterion =
  | { kind: 'list'; assert: 'all' | 'atLeastOne' | 'none'; criteria: readonly Criterion[] }
  /** every named bit has the named value */
  | { kind: 'key-usage'; bits: ReadonlyMap<KeyUsageBit, boolean> }
  /** all of these object identifiers are among the policies, the purposes, the attributes of the subject */
  | { kind: 'policies' | 'purposes' | 'subject-attributes'; ids: readonly string[] }
  /** one that this program cannot decide */
  | { kind: 'unknown'; name: string }
