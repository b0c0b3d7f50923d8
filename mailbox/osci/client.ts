/**
 * An explicit dialog with an intermediary, from the client's side: InitDialog … ExitDialog.
 *
 * The one place where serialising, security, transport and parsing meet. Every request is signed and encrypted; an answer
 * that is not encrypted, not signed by the known intermediary or not ours counts as no answer, and ends the dialog:
 * a further request would confirm what was perhaps never read.
 */
import { childElements, isNamed, optionalChild } from '../../signing/index.ts'
import type { XmlElement } from '../../signing/index.ts'
import { MailboxError } from '../errors.ts'
import { composeContent } from './content.ts'
import { NEW_DIALOG, judgeAnswer, requestControl } from './dialog.ts'
import type { ClientDialog } from './dialog.ts'
import { decisiveEntry } from './feedback.ts'
import { partyOf } from './identity.ts'
import type { OsciIdentity, OsciParty } from './identity.ts'
import { OSCI } from './messages.ts'
import type { Attachment, CertificateEntry, ControlBlock, FeedbackEntry, ProcessCard, RequestType } from './messages.ts'
import { readCertificates, readControlBlock, readFaultCode, readFeedback, readMessageId } from './parse.ts'
import { readProcessCards, selectionText } from './process-card.ts'
import { openTransport, sealTransport, verifyMessage } from './security.ts'
import type { OsciMessage } from './security.ts'
import {
  certificateEntry,
  desiredLanguages,
  featureDescription,
  messageIdText,
  nonIntermediaryCertificates,
  operationHeader,
  qualityOfTimestamp,
  writeMessage,
} from './serialize.ts'
import type { Block } from './serialize.ts'
import type { OsciTransport } from './transport.ts'
import { escapeText } from '../../signing/index.ts'

/** What became of one request. `raw` is the decrypted answer, MIME and all, with the intermediary's signature. */
export type Answer<T> =
  | { kind: 'executed'; value: T; feedback: FeedbackEntry[]; raw: Buffer }
  /** the intermediary says in a signed answer that it did not do it */
  | { kind: 'refused'; code: string }
  /** a SOAP fault: unsigned, so it proves nothing about what happened */
  | { kind: 'fault'; code: string }
  /** nothing left this machine */
  | { kind: 'unreachable'; cause: unknown }
  /** the request left, no usable answer came back */
  | { kind: 'unknown'; cause: unknown }

export interface OsciClientDeps {
  identity: OsciIdentity
  intermediary: { party: OsciParty; transport: OsciTransport }
  random: (bytes: number) => Buffer
  /** largest answer in bytes */
  maxBytes: number
  signal?: AbortSignal
}

/** What goes into a StoreDelivery. */
export interface DeliveryOrder {
  messageId: string
  /** visible to the intermediary */
  subject: string
  addressee: OsciParty['cipherCertificate']
  inline: Buffer
  attachments: readonly Attachment[]
}

/** One delivery out of the own mailbox. */
export interface FetchedDelivery {
  message: OsciMessage
  card: ProcessCard
  certificates: CertificateEntry[]
}

export interface OsciDialog {
  getMessageId(): Promise<Answer<string>>
  storeDelivery(order: DeliveryOrder): Promise<Answer<ProcessCard>>
  /** The oldest delivery not received yet; null = none. Confirms the one fetched before. */
  fetchDelivery(): Promise<Answer<FetchedDelivery | null>>
  /** Cards of these messages; empty = the intermediary knows none of them. */
  fetchProcessCards(messageIds: readonly string[]): Promise<Answer<ProcessCard[]>>
  /** Ends the dialog; confirms the delivery fetched last. */
  exit(): Promise<Answer<null>>
}

/** Opens an explicit dialog. */
export async function openOsciDialog(deps: OsciClientDeps): Promise<Answer<OsciDialog>> {
  const session = new Session(deps)
  const opened = await session.request({ type: 'InitDialog', headers: [], body: '<osci:initDialog></osci:initDialog>' })
  if (opened.kind !== 'executed') return opened
  return { ...opened, value: dialogOver(session) }
}

function dialogOver(session: Session): OsciDialog {
  return {
    getMessageId: async () => {
      const answer = await session.request({ type: 'GetMessageId', body: '<osci:getMessageId></osci:getMessageId>' })
      return session.read(answer, (operation) => {
        const id = optionalChild(operation, OSCI, 'MessageId')
        if (!id) throw misbehaved('an answer without MessageId')
        return readMessageId(id)
      })
    },
    storeDelivery: (order) => store(session, order),
    fetchDelivery: () => fetch(session),
    fetchProcessCards: async (messageIds) => {
      const rule = selectionText({ kind: 'message-id', messageIds: [...messageIds] })
      const body = `<osci:fetchProcessCard>${rule}</osci:fetchProcessCard>`
      const answer = await session.request({ type: 'FetchProcessCard', body, nothing: '9804' })
      return session.read(answer, readProcessCards)
    },
    exit: async () => {
      const answer = await session.request({ type: 'ExitDialog', body: '<osci:exitDialog></osci:exitDialog>' })
      return session.read(answer, () => null)
    },
  }
}

async function store(session: Session, order: DeliveryOrder): Promise<Answer<ProcessCard>> {
  const { identity, random } = session.deps
  const own = partyOf(identity)
  const author = certificateEntry('SignatureCertificateOriginator', 'originator', own.signatureCertificate)
  const reader = certificateEntry('CipherCertificateOtherReader', 'reader0', order.addressee)
  const content = await composeContent(
    {
      inline: order.inline,
      attachments: order.attachments,
      author: { key: identity.signing, certificateId: author.id },
      reader: { certificate: order.addressee, certificateId: reader.id },
    },
    random,
  )
  const answer = await session.request({
    type: 'StoreDelivery',
    headers: [
      qualityOfTimestamp('creation'),
      qualityOfTimestamp('reception'),
      operationHeader(
        'storeDelivery',
        `${messageIdText(order.messageId)}<osci:Subject>${escapeText(order.subject)}</osci:Subject>`,
      ),
    ],
    certificates: [certificateEntry('CipherCertificateAddressee', 'addressee', order.addressee), reader],
    body: content.packageText,
    attachments: content.attachments,
  })
  return session.read(answer, (operation) => {
    const card = readProcessCards(operation).find(({ messageId }) => messageId === order.messageId)
    if (!card) throw misbehaved('an answer without the process card of the delivery')
    return card
  })
}

async function fetch(session: Session): Promise<Answer<FetchedDelivery | null>> {
  const answer = await session.request({
    type: 'FetchDelivery',
    headers: [operationHeader('fetchDelivery', '')],
    body: '',
    nothing: '9803',
  })
  return session.read(answer, (operation, message) => {
    const [card] = readProcessCards(operation)
    if (!card) return null
    const block = message.blocks.find((candidate) => isNamed(candidate, OSCI, 'NonIntermediaryCertificates'))
    return { message, card, certificates: block ? readCertificates(block) : [] }
  })
}

interface Request {
  type: RequestType
  /** between DesiredLanguages and the certificates */
  headers?: Block[]
  /** beside the client's own */
  certificates?: CertificateEntry[]
  body: string
  attachments?: readonly Attachment[]
  /** code that means "nothing fits" and is no failure */
  nothing?: '9803' | '9804'
}

interface Raw {
  operation: XmlElement
  message: OsciMessage
}

/** State of one dialog; requests run strictly one after the other. */
class Session {
  readonly deps: OsciClientDeps
  private state: ClientDialog = NEW_DIALOG
  private broken = false

  constructor(deps: OsciClientDeps) {
    this.deps = deps
  }

  async request(request: Request): Promise<Answer<Raw>> {
    if (this.broken)
      throw new MailboxError('mailbox/control-block', 'the dialog ended with an answer that was no answer')
    const control = requestControl(this.state, this.deps.random(15).toString('base64'))
    const bytes = await this.write(request, control)
    const { party, transport } = this.deps.intermediary
    const exchange = await transport(sealTransport(bytes, party.cipherCertificate, this.deps.random), this.deps.signal)
    if (exchange.kind !== 'answered') {
      this.broken = true
      return exchange
    }
    try {
      return await this.receive(exchange.body, request, control)
    } catch (cause) {
      this.broken = true
      return { kind: 'unknown', cause }
    }
  }

  /** Reads the operation element of an answer; what cannot be understood is no answer. */
  read<T>(answer: Answer<Raw>, work: (operation: XmlElement, message: OsciMessage) => T): Answer<T> {
    if (answer.kind !== 'executed') return answer
    try {
      return { ...answer, value: work(answer.value.operation, answer.value.message) }
    } catch (cause) {
      this.broken = true
      return { kind: 'unknown', cause }
    }
  }

  private async write(request: Request, control: ControlBlock): Promise<Buffer> {
    const own = partyOf(this.deps.identity)
    const signature = certificateEntry('SignatureCertificateOriginator', 'originator', own.signatureCertificate)
    const cipher = certificateEntry('CipherCertificateOriginator', 'originator', own.cipherCertificate)
    const named = request.type === 'ExitDialog' || request.type.startsWith('Fetch') ? [signature] : [cipher, signature]
    const certificates = nonIntermediaryCertificates([...named, ...(request.certificates ?? [])])
    const blocks = [desiredLanguages(), ...(request.headers ?? []), certificates, featureDescription()]
    const attachments = request.attachments ?? []
    return writeMessage(
      { type: request.type, control, blocks, body: request.body, attachments },
      { key: this.deps.identity.signing, certificateId: signature.id, as: 'client' },
      this.deps.random,
    )
  }

  private async receive(body: Buffer, request: Request, sent: ControlBlock): Promise<Answer<Raw>> {
    const { identity, intermediary, maxBytes } = this.deps
    const opened = await openTransport(body, identity.decryption, { maxBytes, maxParts: 2_000, ciphers: 'modern' })
    if (opened.envelope.type === null) {
      this.broken = true
      return { kind: 'fault', code: readFaultCode(opened.envelope.body) }
    }
    if (!opened.encrypted) throw misbehaved('an unencrypted answer to an encrypted request')
    const pinned = intermediary.party.signatureCertificate
    const verdict = verifyMessage(opened.envelope, opened.message.parts, () => pinned)
    if (verdict.kind !== 'accepted' || !verdict.message.signer) throw misbehaved('an answer without valid signature')
    const { message } = verdict
    if (message.type !== `ResponseTo${request.type}`) throw misbehaved('an answer of another type')
    const [first] = message.blocks
    if (!first || !isNamed(first, OSCI, 'ControlBlock')) throw misbehaved('an answer without ControlBlock in front')
    const got = readControlBlock(first)
    const fit = judgeAnswer(this.state, sent, got, request.type === 'ExitDialog' ? 'ends' : 'more-follows')
    if (fit.kind === 'misfit') throw misbehaved(fit.what)
    this.state = fit.dialog
    return this.outcome(message, request, opened.bytes)
  }

  private outcome(message: OsciMessage, request: Request, raw: Buffer): Answer<Raw> {
    const name = `responseTo${request.type}`
    const operation =
      message.blocks.find((block) => isNamed(block, OSCI, name)) ??
      childElements(message.body).find((child) => isNamed(child, OSCI, name))
    if (!operation) throw misbehaved('an answer without its operation element')
    const feedback = readFeedback(operation)
    const decisive = decisiveEntry(feedback)
    if (!decisive) throw misbehaved('an answer without feedback')
    const failed = decisive.code.startsWith('9') && decisive.code !== request.nothing
    if (failed) return { kind: 'refused', code: decisive.code }
    return { kind: 'executed', value: { operation, message }, feedback, raw }
  }
}

function misbehaved(what: string): MailboxError {
  return new MailboxError('mailbox/peer-misbehaved', `the intermediary sent ${what}`)
}
