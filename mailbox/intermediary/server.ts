/**
 * The embedded intermediary (Intermediär): answers OSCI 1.2 requests over the same files as the client.
 *
 * Serves InitDialog, ExitDialog, GetMessageId, StoreDelivery, FetchDelivery and FetchProcessCard; state is in storage, so
 * several processes may answer. Faults end before a request is understood, refusals after (OSCI 1.2, order of checks).
 */
import { isNamed } from '../../signing/index.ts'
import { MailboxError } from '../errors.ts'
import type { MailboxErrorCode } from '../errors.ts'
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
  writeFault,
  writeMessage,
} from '../osci/serialize.ts'
import type { OsciTransport } from '../osci/transport.ts'
import { enterDialog } from './dialogs.ts'
import { inspect, inspectionCodes } from './inspection.ts'
import { execute, operationOf } from './requests.ts'
import type { RequestDeps, Result } from './requests.ts'

export interface IntermediaryDeps extends Omit<RequestDeps, 'idleMs' | 'maxBytes'> {
  identity: OsciIdentity
  settings?: Partial<IntermediarySettings>
}

export interface IntermediarySettings {
  /** largest request in bytes */
  maxBytes: number
  /** sum of all requests being worked on, in bytes; more are told to come later */
  maxBytesInFlight: number
  /** how long a dialog may rest between requests */
  idleMs: number
  /** how long an issued MessageId may wait for its StoreDelivery */
  unusedIdMs: number
  /** what requests must have; `none` only for tests with old partners */
  protection: 'signed-and-encrypted' | 'none'
  ciphers: 'modern' | 'legacy-allowed'
}

const DEFAULTS: IntermediarySettings = {
  maxBytes: 290_000_000,
  maxBytesInFlight: 600_000_000,
  idleMs: 600_000,
  unusedIdMs: 24 * 3_600_000,
  protection: 'signed-and-encrypted',
  ciphers: 'modern',
}

export interface Intermediary {
  /**
   * Answers one HTTP request body. Status is 200 for everything that OSCI has words for, 503 when too many bytes are in
   * work already (the client's outcome is then `unknown`, and it asks).
   */
  answer(request: AsyncIterable<Uint8Array> | Buffer): Promise<{ status: number; contentType: string; body: Buffer }>
  /** The same without a network, for mailboxes of this process. */
  transport: OsciTransport
  /** Removes dialogs that ended and MessageIds that nobody used. @returns rows removed */
  sweep(): Promise<number>
}

/** An intermediary over storage; its keys are handed in opened. */
export function createIntermediary(deps: IntermediaryDeps): Intermediary {
  const settings = { ...DEFAULTS, ...deps.settings }
  const context: Context = { ...deps, ...settings }
  let inFlight = 0
  const answer: Intermediary['answer'] = async (request) => {
    const budget = { take: (bytes: number) => (inFlight += bytes) <= settings.maxBytesInFlight, taken: 0 }
    try {
      const bytes = await readRequest(request, settings.maxBytes, budget)
      if (bytes === 'busy') return { status: 503, contentType: 'text/plain; charset=UTF-8', body: Buffer.from('busy') }
      return { status: 200, contentType: 'text/xml; charset=UTF-8', body: await answerBytes(context, bytes) }
    } catch (error) {
      return { status: 200, contentType: 'text/xml; charset=UTF-8', body: faultFor(context, error) }
    } finally {
      inFlight -= budget.taken
    }
  }
  return {
    answer,
    transport: async (message) => {
      const { status, body } = await answer(message)
      return status === 200 ? { kind: 'answered', body } : { kind: 'unreachable', cause: new Error('busy') }
    },
    sweep: () => {
      const now = deps.clock()
      return deps.storage.deliveries.sweep(now, new Date(now.getTime() - settings.unusedIdMs))
    },
  }
}

interface Budget {
  take(bytes: number): boolean
  taken: number
}

async function readRequest(
  request: AsyncIterable<Uint8Array> | Buffer,
  maxBytes: number,
  budget: Budget,
): Promise<Buffer | 'busy'> {
  const chunks: Uint8Array[] = []
  for await (const chunk of Buffer.isBuffer(request) ? [request] : request) {
    budget.taken += chunk.length
    if (!budget.take(chunk.length)) return 'busy'
    if (budget.taken > maxBytes) throw new MailboxError('mailbox/too-large', `the request exceeds ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

type Context = IntermediaryDeps & IntermediarySettings

/** From bytes to bytes; throws what becomes a fault. */
async function answerBytes(context: Context, bytes: Buffer): Promise<Buffer> {
  const { maxBytes, ciphers, identity } = context
  const opened = await openTransport(bytes, identity.decryption, { maxBytes, maxParts: 2_000, ciphers })
  const type = requestType(opened.envelope)
  if (context.protection !== 'none' && !opened.encrypted) throw malformed('a request without transport encryption')
  const [first] = opened.envelope.blocks
  if (!first || !isNamed(first, OSCI, 'ControlBlock')) throw malformed('ControlBlock is not the first header')
  const control = readControlBlock(first)
  const { conversationId } = control
  const dialog = conversationId === null ? null : await context.storage.deliveries.dialog(conversationId)
  const certificates = certificatesOf(opened.envelope)
  const named = certificates.find((entry) => entry.role === 'CipherCertificateOriginator')?.certificate
  const client = dialog?.cipherCertificate ?? named
  if (!client) {
    const code = conversationId === null ? 'mailbox/certificate-missing' : 'mailbox/control-block'
    throw new MailboxError(code, 'no cipher certificate to answer to')
  }
  if (named && !named.equals(client)) throw new MailboxError('mailbox/control-block', 'another client in the dialog')
  return new Exchange(context, { type, control, certificates, client, opened }).answer(dialog)
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
  private readonly context: Context
  private readonly facts: Facts

  constructor(context: Context, facts: Facts) {
    this.context = context
    this.facts = facts
  }

  async answer(dialog: Awaited<ReturnType<RequestDeps['storage']['deliveries']['dialog']>>): Promise<Buffer> {
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
      throw new MailboxError('mailbox/control-block', place.refused === '9802' ? DIALOG_NEEDED : 'not the next request')
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
    const refused = codes.find((code) => code.startsWith('9'))
    if (refused) throw new MailboxError('mailbox/certificate-refused', `cipher certificate refused with ${refused}`)
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

const DIALOG_NEEDED = 'a request that needs an explicit dialog'

const FAULTS: Partial<Record<MailboxErrorCode, string>> = {
  'mailbox/malformed': '9100',
  'mailbox/too-large': '9100',
  'mailbox/wrong-recipient': '9200',
  'mailbox/undecryptable': '9202',
  'mailbox/type-refused': '9300',
  'mailbox/control-block': '9400',
  'mailbox/certificate-missing': '9500',
  'mailbox/certificate-refused': '9501',
}

/** A fault for whatever stopped a request; what is not the client's fault is logged here and told as 9000. */
function faultFor(context: Context, error: unknown): Buffer {
  const known = error instanceof MailboxError ? FAULTS[error.code] : undefined
  const needed = error instanceof MailboxError && error.message === DIALOG_NEEDED
  const code = needed ? '9802' : (known ?? '9000')
  if (code === '9000') context.log.error({ err: error }, 'the intermediary could not answer a request')
  else context.log.info({ code }, 'the intermediary refused a request')
  return writeFault(code, meaning(code), context.random)
}
