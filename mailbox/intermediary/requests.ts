/**
 * What the intermediary does with each request once it is let in: one function per type, from facts to an answer.
 */
import {
  childElements,
  isNamed,
  optionalChild,
  readEncryptedData,
  textOf,
  XENC_NAMESPACE,
} from '../../signing/index.ts'
import type { XmlElement } from '../../signing/index.ts'
import { newId } from '../../storage/index.ts'
import type { DeliveryFilter, MessageId, OpenDialog } from '../../storage/index.ts'
import { openContent } from '../osci/content-reading.ts'
import { fingerprint } from '../osci/identity.ts'
import { OSCI } from '../osci/messages.ts'
import type { Attachment, CertificateEntry, RequestType, SelectionRule } from '../osci/messages.ts'
import { asMailboxError, malformed, readMessageId } from '../osci/parse.ts'
import { processCardText, readLimit, readSelection, selectionText } from '../osci/process-card.ts'
import type { OsciMessage } from '../osci/security.ts'
import { messageIdText, nonIntermediaryCertificates, operationHeader } from '../osci/serialize.ts'
import type { Block } from '../osci/serialize.ts'
import { awaitReceipt } from './dialogs.ts'
import type { DialogsDeps } from './dialogs.ts'
import { inspect, inspectionCodes, inspectionReport } from './inspection.ts'
import type { CertificateTrust } from './inspection.ts'
import { cardOf, keepDelivery, openDelivery } from './mailboxes.ts'
import type { MailboxesDeps } from './mailboxes.ts'

export interface RequestDeps extends DialogsDeps, MailboxesDeps {
  trust: CertificateTrust
}

/** A request that was let in. */
export interface AdmittedRequest {
  type: RequestType
  message: OsciMessage
  certificates: readonly CertificateEntry[]
  /** cipher certificate (DER) of the client */
  client: Buffer
  /** null = implicit */
  dialog: OpenDialog | null
  /** warnings found so far */
  warnings: string[]
}

/** What goes into the answer beside control data and signature. */
export interface Result {
  /** 9xxx or null; the success code follows from the dialog */
  error: string | null
  warnings: string[]
  /** operation element: content after the Feedback */
  after: string
  /** header blocks after the operation */
  blocks: Block[]
  body: string
  attachments: readonly Attachment[]
}

const EMPTY: Result = { error: null, warnings: [], after: '', blocks: [], body: '', attachments: [] }

/** Executes a request. @throws MailboxError `mailbox/malformed` an operation that is not what OSCI says */
export async function execute(deps: RequestDeps, request: AdmittedRequest): Promise<Result> {
  switch (request.type) {
    case 'InitDialog':
    case 'ExitDialog':
      return EMPTY
    case 'GetMessageId':
      return issueMessageId(deps, request)
    case 'StoreDelivery':
      return storeDelivery(deps, request)
    case 'FetchDelivery':
      return fetchDelivery(deps, request)
    case 'FetchProcessCard':
      return fetchProcessCards(deps, request)
  }
}

async function issueMessageId(deps: RequestDeps, { client }: AdmittedRequest): Promise<Result> {
  const messageId = `amtsbote-${newId<MessageId>(deps.random)}`
  await deps.storage.deliveries.issueId(messageId, fingerprint(client), deps.clock())
  return { ...EMPTY, after: messageIdText(messageId) }
}

async function storeDelivery(deps: RequestDeps, request: AdmittedRequest): Promise<Result> {
  const { message, certificates } = request
  const operation = header(message, 'storeDelivery')
  const id = optionalChild(operation, OSCI, 'MessageId')
  if (!id) return { ...EMPTY, error: '9800' }
  const addressee = certificates.find((entry) => entry.role === 'CipherCertificateAddressee')
  if (!addressee) throw malformed('a delivery without addressee')
  await checkPackage(message, certificates)
  const inspections = await inspect(certificates, deps.trust, deps.clock())
  const codes = inspectionCodes(inspections)
  const refused = codes.find((code) => code.startsWith('9'))
  if (refused) return { ...EMPTY, error: refused }
  const subject = optionalChild(operation, OSCI, 'Subject')
  const kept = await keepDelivery(deps, {
    messageId: readMessageId(id),
    subject: subject && textOf(subject).slice(0, 1_000),
    originator: request.client,
    addressee: addressee.certificate,
    certificates,
    inspection: inspectionReport(inspections, deps.clock()),
    message,
  })
  if (kept === 'illegal-id') return { ...EMPTY, error: '9801' }
  return { ...EMPTY, warnings: codes, after: processCardText(cardOf(kept)) }
}

/**
 * Refuses what would stop the addressee's software at the delivery for good: dangling certificate Ids, raw content,
 * references to nothing. Encrypted containers stay closed.
 */
async function checkPackage(message: OsciMessage, certificates: readonly CertificateEntry[]): Promise<void> {
  const nobody = { certificate: Buffer.alloc(0), unwrap: () => Promise.reject(malformed('a key of nobody')) }
  await openContent(message, certificates, { key: nobody, ciphers: 'legacy-allowed' })
  asMailboxError(() => {
    const contentPackage = optionalChild(message.body, OSCI, 'ContentPackage')
    for (const child of contentPackage ? childElements(contentPackage) : []) {
      if (!isNamed(child, XENC_NAMESPACE, 'EncryptedData')) continue
      const { keys } = readEncryptedData(child, 'legacy-allowed')
      const resolved = keys.every(({ uri }) => certificates.some(({ id }) => `#${id}` === uri))
      if (keys.length === 0 || !resolved) throw malformed('an encrypted key for a certificate that is not there')
    }
  })
}

async function fetchDelivery(deps: RequestDeps, request: AdmittedRequest): Promise<Result> {
  const rule = readSelection(header(request.message, 'fetchDelivery'))
  const echo = `<osci:fetchDelivery>${selectionText(rule)}</osci:fetchDelivery>`
  const none: Result = { ...EMPTY, error: '9803', after: echo, body: '<osci:ContentPackage></osci:ContentPackage>' }
  const { dialog } = request
  // Without encryption the challenge proves nothing about the owner of the mailbox.
  if (!dialog?.encrypted) return none
  const { deliveries } = deps.storage
  const client = fingerprint(request.client)
  const filter = filterOf(rule, { client, role: 'addressee', limit: 2 })
  const open = await deliveries.find(rule?.kind === 'message-id' ? filter : { ...filter, unreceived: true })
  const [chosen, another] = open
  if (!chosen) return none
  const kept = await openDelivery(deps, chosen)
  await deliveries.markForwarded(chosen.messageId, deps.clock())
  const [stamped] = await deliveries.find({ client, role: 'addressee', messageIds: [chosen.messageId], limit: 1 })
  if (!stamped || !(await awaitReceipt(deps, dialog, chosen.messageId))) return none
  return {
    ...EMPTY,
    warnings: another && rule?.kind !== 'message-id' ? ['3800'] : [],
    after: echo + processCardText(cardOf(stamped)),
    blocks: [nonIntermediaryCertificates(kept.certificates)],
    body: kept.packageText,
    attachments: kept.attachments,
  }
}

async function fetchProcessCards(deps: RequestDeps, request: AdmittedRequest): Promise<Result> {
  const operation = childElements(request.message.body).find((child) => isNamed(child, OSCI, 'fetchProcessCard'))
  if (!operation) throw malformed('no fetchProcessCard')
  const rule = readSelection(operation)
  const asked = readLimit(operation)
  const quantity = asked === null ? '' : `<osci:Quantity Limit="${asked}"></osci:Quantity>`
  const echo = `<osci:fetchProcessCard>${selectionText(rule)}${quantity}</osci:fetchProcessCard>`
  if (request.dialog?.encrypted !== true) return { ...EMPTY, error: '9804', after: echo }
  const limit = Math.min(asked ?? MAX_CARDS, MAX_CARDS)
  const client = fingerprint(request.client)
  const found = await deps.storage.deliveries.find(filterOf(rule, { client, role: 'either', limit: limit + 1 }))
  if (found.length === 0) return { ...EMPTY, error: '9804', after: echo }
  const cards = found.slice(0, limit).map((delivery) => processCardText(cardOf(delivery)))
  return { ...EMPTY, warnings: found.length > limit ? ['3801'] : [], after: echo + cards.join('') }
}

function filterOf(rule: SelectionRule | null, base: Pick<DeliveryFilter, 'client' | 'role' | 'limit'>): DeliveryFilter {
  if (rule === null) return base
  if (rule.kind === 'message-id') return { ...base, messageIds: rule.messageIds }
  const since = rule.field === 'RecentModification' ? { modifiedSince: rule.at } : { createdSince: rule.at }
  const role = rule.role === 'either' || base.role === 'addressee' ? {} : { role: ROLES[rule.role] }
  return { ...base, ...since, ...role, ...(rule.unreceived ? { unreceived: true } : {}) }
}

function header(message: OsciMessage, name: string): XmlElement {
  const found = message.blocks.find((block) => isNamed(block, OSCI, name))
  if (!found) throw malformed(`no ${name}`)
  return found
}

/** The operation element of an answer: a header block for some types, in the body for the others. */
export function operationOf(type: RequestType, result: Result, feedback: string): { blocks: Block[]; body: string } {
  const name = `responseTo${type}`
  if (type === 'StoreDelivery' || type === 'FetchDelivery') {
    return { blocks: [operationHeader(name, feedback + result.after)], body: result.body }
  }
  return { blocks: [], body: `<osci:${name}>${feedback}${result.after}</osci:${name}>` }
}

const ROLES = { Addressee: 'addressee', Originator: 'originator' } as const
const MAX_CARDS = 500
