/**
 * Laufzettel (ProcessCardBundle) and selection rules: XML ↔ types.
 */
import {
  attributeOf,
  canonicalText,
  childElements,
  escapeText,
  isNamed,
  optionalChild,
  textOf,
} from '../../signing/index.ts'
import type { XmlElement } from '../../signing/index.ts'
import { NS5_SCOPE, OSCI } from './messages.ts'
import type { ProcessCard, Role, SelectionRule } from './messages.ts'
import { asMailboxError, malformed, readMessageId } from './parse.ts'
import { messageIdText } from './serialize.ts'

/** Writes a ProcessCardBundle in canonical form under the five namespaces. */
export function processCardText(card: ProcessCard): string {
  const stamp = (name: string, at: Date | null): string =>
    at === null ? '' : `<osci:${name}><osci:Plain>${at.toISOString()}</osci:Plain></osci:${name}>`
  const subject = card.subject === null ? '' : `<osci:Subject>${escapeText(card.subject)}</osci:Subject>`
  return (
    `<osci:ProcessCardBundle>${messageIdText(card.messageId)}` +
    `<osci:ProcessCard RecentModification="${card.recentModification.toISOString()}">` +
    `${stamp('Creation', card.creation)}${stamp('Forwarding', card.forwarding)}${stamp('Reception', card.reception)}` +
    `${subject}</osci:ProcessCard>${card.inspection}</osci:ProcessCardBundle>`
  )
}

/** All process cards directly inside an element. @throws MailboxError `mailbox/malformed` */
export function readProcessCards(parent: XmlElement): ProcessCard[] {
  return asMailboxError(() =>
    childElements(parent)
      .filter((child) => isNamed(child, OSCI, 'ProcessCardBundle'))
      .map(readBundle),
  )
}

function readBundle(bundle: XmlElement): ProcessCard {
  const id = optionalChild(bundle, OSCI, 'MessageId')
  const card = optionalChild(bundle, OSCI, 'ProcessCard')
  if (!id || !card) throw malformed('a process card')
  const report = optionalChild(bundle, OSCI, 'InspectionReport')
  const subject = optionalChild(card, OSCI, 'Subject')
  const modified = attributeOf(card, 'RecentModification')
  return {
    messageId: readMessageId(id),
    recentModification: readDate(modified ?? ''),
    creation: readStamp(card, 'Creation'),
    forwarding: readStamp(card, 'Forwarding'),
    reception: readStamp(card, 'Reception'),
    subject: subject && textOf(subject),
    inspection: report ? canonicalText(report, { rendered: NS5_SCOPE }) : '',
  }
}

/** A plain stamp; a cryptographic one counts as present with the card's own time unknown, so it is refused. */
function readStamp(card: XmlElement, name: string): Date | null {
  const stamp = optionalChild(card, OSCI, name)
  if (!stamp) return null
  const plain = optionalChild(stamp, OSCI, 'Plain')
  if (!plain) throw malformed('a time stamp that is not plain')
  return readDate(textOf(plain))
}

/** An xsd:dateTime. @throws MailboxError `mailbox/malformed` */
function readDate(text: string): Date {
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?$/
  const at = new Date(shape.test(text) ? text : NaN)
  if (Number.isNaN(at.getTime())) throw malformed('a date')
  return at
}

/** The SelectionRule inside an operation element; null = none. @throws MailboxError `mailbox/malformed` */
export function readSelection(operation: XmlElement): SelectionRule | null {
  return asMailboxError(() => {
    const rule = optionalChild(operation, OSCI, 'SelectionRule')
    if (!rule) return null
    const children = childElements(rule)
    const [first] = children
    if (!first || children.some((child) => child.namespace !== OSCI)) throw malformed('a selection rule')
    if (children.every((child) => child.local === 'MessageId')) {
      if (children.length > 1_000) throw malformed('more than 1000 message ids')
      return { kind: 'message-id', messageIds: children.map(readMessageId) }
    }
    const field = first.local
    if (children.length !== 1 || (field !== 'ReceptionOfDelivery' && field !== 'RecentModification')) {
      throw malformed('a selection rule')
    }
    const unreceived = attributeOf(first, 'NoReception') === 'true'
    return { kind: 'since', field, at: readDate(textOf(first)), role: readRole(first), unreceived }
  })
}

function readRole(element: XmlElement): Role {
  const role = attributeOf(element, 'Role')
  if (role === null) return 'either'
  if (role !== 'Addressee' && role !== 'Originator') throw malformed('a role')
  return role
}

/** Writes a SelectionRule; empty text for none. */
export function selectionText(rule: SelectionRule | null): string {
  if (rule === null) return ''
  if (rule.kind === 'message-id') {
    return `<osci:SelectionRule>${rule.messageIds.map(messageIdText).join('')}</osci:SelectionRule>`
  }
  const unreceived = rule.unreceived ? ' NoReception="true"' : ''
  const role = rule.role === 'either' ? '' : ` Role="${rule.role}"`
  return (
    `<osci:SelectionRule><osci:${rule.field}${unreceived}${role}>${rule.at.toISOString()}</osci:${rule.field}>` +
    '</osci:SelectionRule>'
  )
}

/** Quantity/@Limit; null = none. */
export function readLimit(operation: XmlElement): number | null {
  return asMailboxError(() => {
    const quantity = optionalChild(operation, OSCI, 'Quantity')
    if (!quantity) return null
    const limit = attributeOf(quantity, 'Limit') ?? ''
    if (!/^[1-9]\d{0,8}$/.test(limit)) throw malformed('a limit')
    return Number(limit)
  })
}
