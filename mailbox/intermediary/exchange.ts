/**
 * One exchange at the intermediary: from the bytes of a request to the bytes of its answer, in the order of checks that
 * OSCI 1.2 prescribes. What is thrown here becomes a SOAP fault (server.ts); refusals are answers.
 */
import { isNamed } from '../../signing/index.ts'
import type { OpenDialog } from '../../storage/index.ts'
import { MailboxError } from '../errors.ts'
import { feedbackText as meaning } from '../osci/feedback.ts'
import { partyOf } from '../osci/identity.ts'
import type { OsciIdentity } from '../osci/identity.ts'
import { OSCI, REQUESTS } from '../osci/messages.ts'
import type { CertificateEntry, ControlBlock, RequestType } from '../osci/messages.ts'
import { malformed, readCertificates, readControlBlock } from '../osci/parse.ts'
import type { Envelope } from '../osci/parse.ts'
import { openTransport, sealTransport, verifyMessage } from '../osci/security.ts'
import type { OpenedTransport } from '../osci/security.ts'
import {
  certificateEntry,
  featureDescription,
  feedbackText,
  intermediaryCertificates,
  writeMessage,
} from '../osci/serialize.ts'
import { enterDialog } from './dialogs.ts'
import { inspect, inspectionCodes } from './inspection.ts'
import { execute, operationOf } from './requests.ts'
import type { RequestDeps, Result } from './requests.ts'

export interface ExchangeDeps extends RequestDeps {
  identity: OsciIdentity
  /** what requests must have; `none` only for tests with old partners */
  protection: 'signed-and-encrypted' | 'none'
  ciphers: 'modern' | 'legacy-allowed'
}

/** From bytes to bytes. @throws MailboxError what becomes a fault */
export async function answerRequest(context: ExchangeDeps, bytes: Buffer): Promise<Buffer> {
  const { maxBytes, ciphers, identity } = context
  const opened = await openTransport(bytes, identity.decryption, { maxBytes, maxParts: 2_000, ciphers })
  const type = requestType(opened.envelope)
  if (context.protection !== 'none' && !opened.encrypted) throw malformed('a request without transport encryption')
  const control = controlOf(opened.envelope)
  const { conversationId } = control
  const dialog = conversationId === null ? null : await context.storage.deliveries.dialog(conversationId)
  const certificates = certificatesOf(opened.envelope)
  const named = certificates.find((entry) => entry.role === 'CipherCertificateOriginator')?.certificate
  const client = clientOf(control, dialog, named)
  return new Exchange(context, { type, control, certificates, client, opened }).answer(dialog)
}

function controlOf(envelope: Envelope): ControlBlock {
  const [first] = envelope.blocks
  if (!first || !isNamed(first, OSCI, 'ControlBlock')) throw malformed('ControlBlock is not the first header')
  return readControlBlock(first)
}

/** Cipher certificate of the client: that of its dialog, else the one it names. */
function clientOf(control: ControlBlock, dialog: OpenDialog | null, named: Buffer | undefined): Buffer {
  const client = dialog?.cipherCertificate ?? named
  if (!client) {
    const code = control.conversationId === null ? 'mailbox/certificate-missing' : 'mailbox/control-block'
    throw new MailboxError(code, 'no cipher certificate to answer to')
  }
  if (named && !named.equals(client)) throw new MailboxError('mailbox/control-block', 'another client in the dialog')
  return client
}

function requestType(envelope: Envelope): RequestType {
  if (envelope.type === null) throw malformed('a fault is no request')
  const type = REQUESTS.find((known) => known === envelope.type)
  if (!type) throw new MailboxError('mailbox/type-refused', 'this type of request is not served here')
  return type
}

function certificatesOf(envelope: Envelope): CertificateEntry[] {
  const blocks = envelope.blocks.filter((block) => isNamed(block, OSCI, 'NonIntermediaryCertificates'))
  if (blocks.length > 1) throw malformed('certificates twice')
  return blocks.flatMap(readCertificates)
}

interface Facts {
  type: RequestType
  control: ControlBlock
  certificates: CertificateEntry[]
  client: Buffer
  opened: OpenedTransport
}

/** One request on its way to an answer; holds what every later step needs. */
class Exchange {
  private readonly context: ExchangeDeps
  private readonly facts: Facts

  constructor(context: ExchangeDeps, facts: Facts) {
    this.context = context
    this.facts = facts
  }

  async answer(dialog: OpenDialog | null): Promise<Buffer> {
    const { type, control, certificates, client, opened } = this.facts
    const warnings = await this.checkClient()
    const verdict = verifyMessage(opened.envelope, opened.message.parts, (uri) => this.signerFor(uri))
    if (verdict.kind !== 'accepted') return this.refuse(verdict.kind === 'wrong' ? '9601' : '9602')
    const { signer } = verdict.message
    if (!signer && this.context.protection !== 'none') return this.refuse('9600')
    const { encrypted } = opened
    const caller = { type, control, dialog, cipherCertificate: client, signer, encrypted }
    const place = await enterDialog(this.context, caller)
    if ('refused' in place) {
      if (place.refused === '9802') throw new MailboxError('mailbox/dialog-needed', 'a request without its dialog')
      throw new MailboxError('mailbox/control-block', 'not the next request of an open dialog')
    }
    const bad = await this.checkSigner(signer, warnings)
    const admitted = { type, message: verdict.message, certificates, client, dialog: place.dialog, warnings }
    const result = bad ? failure(bad) : await execute(this.context, admitted)
    return this.write(result, place.control, warnings)
  }

  /** Certificate of the client's signature: named by the signature, in the role of the originator. */
  private signerFor(uri: string | null): Buffer | null {
    const entry = this.facts.certificates.find(({ id }) => `#${id}` === uri)
    return entry?.role === 'SignatureCertificateOriginator' ? entry.certificate : null
  }

  private async checkClient(): Promise<string[]> {
    const entry = { id: '', role: 'CipherCertificateOriginator', certificate: this.facts.client }
    const codes = inspectionCodes(await inspect([entry], this.context.trust, this.context.clock()))
    if (codes.includes('9502')) throw new MailboxError('mailbox/certificate-revoked', 'a revoked cipher certificate')
    if (codes.includes('9501')) throw new MailboxError('mailbox/certificate-refused', 'an unknown cipher certificate')
    return codes
  }

  private async checkSigner(signer: Buffer | null, warnings: string[]): Promise<string | null> {
    if (!signer) return null
    const entry = { id: '', role: 'SignatureCertificateOriginator', certificate: signer }
    const codes = inspectionCodes(await inspect([entry], this.context.trust, this.context.clock()))
    warnings.push(...codes.filter((code) => code.startsWith('3')))
    return codes.find((code) => code.startsWith('9')) ?? null
  }

  /** A refusal before the dialog was entered: its state stays, and the control data go back as they must. */
  private refuse(code: string): Promise<Buffer> {
    const { control, type } = this.facts
    const conversationId = control.conversationId ?? '0'
    const challenge = type === 'ExitDialog' || control.conversationId === null ? null : this.challenge()
    const initial = type === 'InitDialog'
    const answer: ControlBlock = {
      response: control.challenge,
      challenge: initial ? this.challenge() : challenge,
      conversationId,
      sequenceNumber: initial ? null : (control.sequenceNumber ?? 0),
    }
    return this.write(failure(code), answer, [])
  }

  private challenge(): string {
    return this.context.random(15).toString('base64')
  }

  private async write(result: Result, control: ControlBlock, warnings: string[]): Promise<Buffer> {
    const { type, client, opened } = this.facts
    const { identity, random } = this.context
    const open = type !== 'ExitDialog' && control.challenge !== null
    const codes = [result.error ?? (open ? '0801' : '0800'), ...new Set([...result.warnings, ...warnings])]
    const feedback = feedbackText(codes.map((code) => ({ code, text: meaning(code) })))
    const operation = operationOf(type, result, feedback)
    const own = partyOf(identity)
    const entry = certificateEntry('SignatureCertificateIntermediary', 'intermed', own.signatureCertificate)
    const bytes = await writeMessage(
      {
        type: `ResponseTo${type}`,
        control,
        blocks: [...operation.blocks, intermediaryCertificates(entry), ...result.blocks, featureDescription()],
        body: operation.body,
        attachments: result.attachments,
      },
      { key: identity.signing, certificateId: entry.id, as: 'supplier' },
      random,
    )
    return opened.encrypted ? sealTransport(bytes, client, random) : bytes
  }
}

function failure(code: string): Result {
  return { error: code, warnings: [], after: '', blocks: [], body: '', attachments: [] }
}
