/**
 * The vocabulary of OSCI-Transport 1.2 on the wire: namespaces, message types, feedback and control data.
 *
 * Element names stay as on the wire. No keys, no sockets, no parsing.
 */

export const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/'
export const OSCI = 'http://www.osci.de/2002/04/osci'
const OSCI2017 = 'http://xoev.de/transport/osci12/7'
export const XSI = 'http://www.w3.org/2001/XMLSchema-instance'
const DSIG = 'http://www.w3.org/2000/09/xmldsig#'
const XENC = 'http://www.w3.org/2001/04/xmlenc#'

/** The five declarations that every block carries, in canonical order; peers hash content in exactly this scope. */
export const NS5 =
  ` xmlns:ds="${DSIG}" xmlns:osci="${OSCI}" xmlns:soap="${SOAP}"` + ` xmlns:xenc="${XENC}" xmlns:xsi="${XSI}"`
export const NS6 = NS5.replace(' xmlns:soap=', ` xmlns:osci2017="${OSCI2017}" xmlns:soap=`)
export const NS5_SCOPE: ReadonlyMap<string, string> = new Map([
  ['ds', DSIG],
  ['osci', OSCI],
  ['soap', SOAP],
  ['xenc', XENC],
  ['xsi', XSI],
])

/** soap:actor and soap:mustUnderstand as blocks for the next hop carry them. */
export const NEXT = ' soap:actor="http://schemas.xmlsoap.org/soap/actor/next" soap:mustUnderstand="1"'
/** The same for certificate headers. */
export const NONE = ' soap:actor="http://www.w3.org/2001/12/soap-envelope/actor/none" soap:mustUnderstand="1"'

/** Requests that the intermediary of this server answers. */
export const REQUESTS = [
  'InitDialog',
  'ExitDialog',
  'GetMessageId',
  'StoreDelivery',
  'FetchDelivery',
  'FetchProcessCard',
] as const
export type RequestType = (typeof REQUESTS)[number]

/** Every type that the specification names, so that a known but unserved one is told from nonsense. */
const OTHER_REQUESTS = [
  'ForwardDelivery',
  'AcceptDelivery',
  'MediateDelivery',
  'ProcessDelivery',
  'PartialStoreDelivery',
  'PartialFetchDelivery',
] as const
export const ALL_TYPES: ReadonlySet<string> = new Set(
  [...REQUESTS, ...OTHER_REQUESTS].flatMap((type) => [type, `ResponseTo${type}`]),
)

/** The value of xsi:schemaLocation, on which peers dispatch by string equality. */
export function schemaLocation(type: string): string {
  return `${SOAP} soap${type}.xsd ${DSIG} oscisig.xsd ${XENC} oscienc.xsd`
}

/** Header block of every message: who answers what in which dialog. */
export interface ControlBlock {
  /** Challenge of the message that this one answers; null = absent */
  response: string | null
  challenge: string | null
  /** digits */
  conversationId: string | null
  sequenceNumber: number | null
}

/** One certificate of a message, under the Id that signatures and encrypted keys refer to. */
export interface CertificateEntry {
  id: string
  /** local name of the element, e.g. CipherCertificateAddressee */
  role: string
  /** DER */
  certificate: Buffer
}

/** One entry of a Feedback. */
export interface FeedbackEntry {
  /** four digits: 0xxx executed, 3xxx executed with a warning, 9xxx not executed */
  code: string
  text: string
}

/** A part of the message beside the SOAP part. */
export interface Attachment {
  /** Content-ID without brackets: the name in `cid:` references */
  name: string
  contentType: string
  /** the octets after undoing base64 */
  body: Buffer
}

/** What FetchDelivery and FetchProcessCard select by; null = everything. */
export type SelectionRule =
  | { kind: 'message-id'; messageIds: string[] }
  | { kind: 'since'; field: 'ReceptionOfDelivery' | 'RecentModification'; at: Date; role: Role; unreceived: boolean }
export type Role = 'Addressee' | 'Originator' | 'either'

/** A Laufzettel. Stamps are null until they are set. */
export interface ProcessCard {
  messageId: string
  recentModification: Date
  creation: Date | null
  forwarding: Date | null
  reception: Date | null
  subject: string | null
  /** InspectionReport as XML text, its element included */
  inspection: string
}
