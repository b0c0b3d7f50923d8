/**
 * Bytes to OSCI structures: the SOAP envelope, its blocks, and what stands in them. No keys, no sockets.
 *
 * Nothing read here is trusted yet; security.ts verifies and hands on only what the signature covers.
 */
import { attributeOf, base64Of, childElements, isNamed, optionalChild, parseXml, textOf } from '../../signing/index.ts'
import type { XmlElement, XmlLimits } from '../../signing/index.ts'
import { SigningError } from '../../signing/index.ts'
import { MailboxError } from '../errors.ts'
import { ALL_TYPES, OSCI, SOAP, XSI } from './messages.ts'
import type { CertificateEntry, ControlBlock, FeedbackEntry } from './messages.ts'

/** Bounds of the SOAP part; attachments do not count. */
export const ENVELOPE_LIMITS: XmlLimits = { maxBytes: 64 * 1_048_576, maxDepth: 48, maxElements: 100_000 }

export interface Envelope {
  /** from xsi:schemaLocation; null = a SOAP fault */
  type: string | null
  /** direct children of soap:Header in document order */
  blocks: XmlElement[]
  body: XmlElement
}

/**
 * Reads the SOAP part.
 *
 * @throws MailboxError `mailbox/malformed`, `mailbox/too-large`
 */
export function parseEnvelope(soap: Buffer): Envelope {
  return asMailboxError(() => {
    const root = parseXml(soap, ENVELOPE_LIMITS)
    if (!isNamed(root, SOAP, 'Envelope')) throw malformed('no SOAP envelope')
    const type = messageType(root)
    const header = optionalChild(root, SOAP, 'Header')
    const body = optionalChild(root, SOAP, 'Body')
    if (!body || childElements(root).length !== (header ? 2 : 1)) throw malformed('the envelope')
    checkIds(root)
    return { type, blocks: header ? childElements(header) : [], body }
  })
}

function messageType(root: XmlElement): string | null {
  const location = root.attributes.find((a) => a.namespace === XSI && a.local === 'schemaLocation')
  if (!location) return null
  const match = /(?:^| )soap(\w+)\.xsd(?: |$)/.exec(location.value)
  if (!match?.[1] || !(ALL_TYPES.has(match[1]) || match[1] === 'MessageEncrypted')) throw malformed('the message type')
  return match[1]
}

/** Ids are unique over the whole SOAP part: whoever looks one up must find what was signed. */
export function checkIds(root: XmlElement): void {
  const seen = new Set<string>()
  const waiting = [root]
  for (let element = waiting.pop(); element; element = waiting.pop()) {
    const id = attributeOf(element, 'Id')
    if (id !== null && seen.has(id)) throw malformed('an Id twice')
    if (id !== null) seen.add(id)
    for (const child of element.children) if (typeof child !== 'string') waiting.push(child)
  }
}

/** Turns faults of the XML reader into faults of this module; everything else passes. */
export function asMailboxError<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw mailboxErrorOf(cause)
  }
}

/** The mailbox error that a fault of the XML reader or of a decryption stands for; others unchanged. */
export function mailboxErrorOf(cause: unknown): unknown {
  if (!(cause instanceof SigningError)) return cause
  if (cause.code === 'signing/xml-too-large') {
    return new MailboxError('mailbox/too-large', 'the SOAP part is too large', { cause })
  }
  if (cause.code === 'signing/decryption-failed') {
    return new MailboxError('mailbox/undecryptable', 'the message cannot be decrypted', { cause })
  }
  return new MailboxError('mailbox/malformed', 'not an OSCI message: the SOAP part', { cause })
}

/** Reads a ControlBlock element. @throws MailboxError `mailbox/malformed` */
export function readControlBlock(block: XmlElement): ControlBlock {
  return asMailboxError(() => {
    const text = (name: string): string | null => {
      const child = optionalChild(block, OSCI, name)
      return child && textOf(child)
    }
    const conversationId = attributeOf(block, 'ConversationId')
    const sequence = attributeOf(block, 'SequenceNumber')
    if (conversationId !== null && !/^\d{1,40}$/.test(conversationId)) throw malformed('the ConversationId')
    if (sequence !== null && !/^\d{1,9}$/.test(sequence)) throw malformed('the SequenceNumber')
    return {
      response: text('Response'),
      challenge: text('Challenge'),
      conversationId,
      sequenceNumber: sequence === null ? null : Number(sequence),
    }
  })
}

const CERTIFICATE_ROLE =
  /^(?:Cipher|Signature)Certificate(?:Originator|OtherAuthor|Addressee|OtherReader|Intermediary)$/

/** Reads NonIntermediaryCertificates or IntermediaryCertificates. @throws MailboxError `mailbox/malformed` */
export function readCertificates(block: XmlElement): CertificateEntry[] {
  return asMailboxError(() => {
    const entries = childElements(block).map(readCertificate)
    const single = entries.map((entry) => entry.role).filter((role) => !role.includes('Other'))
    if (new Set(single).size !== single.length) throw malformed('a certificate role twice')
    return entries
  })
}

function readCertificate(element: XmlElement): CertificateEntry {
  const id = attributeOf(element, 'Id')
  if (element.namespace !== OSCI || !CERTIFICATE_ROLE.test(element.local) || !id) throw malformed('a certificate entry')
  const [data] = childElements(element)
  const [certificate] = data ? childElements(data) : []
  if (certificate?.local !== 'X509Certificate') throw malformed('a certificate entry without certificate')
  const der = base64Of(certificate)
  if (der.length === 0 || der.length > 32_768) throw malformed('a certificate')
  return { id, role: element.local, certificate: der }
}

/** Reads the Feedback inside an operation element; empty when there is none. */
export function readFeedback(parent: XmlElement): FeedbackEntry[] {
  return asMailboxError(() => {
    const feedback = optionalChild(parent, OSCI, 'Feedback')
    if (!feedback) return []
    return childElements(feedback).map((entry) => {
      const code = optionalChild(entry, OSCI, 'Code')
      const text = optionalChild(entry, OSCI, 'Text')
      if (!code || !/^\d{4}$/.test(textOf(code))) throw malformed('a feedback entry')
      return { code: textOf(code), text: text ? textOf(text).slice(0, 1_000) : '' }
    })
  })
}

/** Code of a SOAP fault; 9811 when it names none. */
export function readFaultCode(body: XmlElement): string {
  return asMailboxError(() => {
    const fault = childElements(body).find((child) => child.local === 'Fault')
    const detail = fault && childElements(fault).find((child) => child.local === 'detail')
    const code = detail && optionalChild(detail, OSCI, 'Code')
    const text = code ? textOf(code).trim() : ''
    return /^\d{4}$/.test(text) ? text : '9811'
  })
}

/** A MessageId element: base64 of UTF-8. @throws MailboxError `mailbox/malformed` */
export function readMessageId(element: XmlElement): string {
  return asMailboxError(() => {
    const id = base64Of(element).toString('utf8')
    if (id === '' || id.length > 500 || /[\p{Cc}]/u.test(id)) throw malformed('a MessageId')
    return id
  })
}

/** The fault of bytes that are not what OSCI says; OSCI 9100. */
export function malformed(what: string): MailboxError {
  return new MailboxError('mailbox/malformed', `not an OSCI message: ${what}`)
}
