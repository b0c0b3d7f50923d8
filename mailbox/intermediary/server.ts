/**
 * The embedded intermediary (Intermediär): answers OSCI 1.2 requests over the same files as the client.
 *
 * Serves InitDialog, ExitDialog, GetMessageId, StoreDelivery, FetchDelivery and FetchProcessCard; state is in storage, so
 * several processes may answer. Faults end before a request is understood, refusals after (OSCI 1.2, order of checks).
 */
import { MailboxError } from '../errors.ts'
import type { MailboxErrorCode } from '../errors.ts'
import { feedbackText as meaning } from '../osci/feedback.ts'
import { mailboxErrorOf } from '../osci/parse.ts'
import { writeFault } from '../osci/serialize.ts'
import type { OsciTransport } from '../osci/transport.ts'
import { answerRequest } from './exchange.ts'
import type { ExchangeDeps } from './exchange.ts'

export interface IntermediaryDeps extends Omit<ExchangeDeps, keyof IntermediarySettings> {
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
  /** Removes dialogs that ended and MessageIds that nobody used; requests see to it now and then. @returns rows removed */
  sweep(): Promise<number>
}

/** An intermediary over storage; its keys are handed in opened. */
export function createIntermediary(deps: IntermediaryDeps): Intermediary {
  const settings = { ...DEFAULTS, ...deps.settings }
  const context: ExchangeDeps = { ...deps, ...settings }
  let inFlight = 0
  let sweptAt = 0
  const sweep = async (): Promise<number> => {
    const now = deps.clock()
    sweptAt = now.getTime()
    return deps.storage.deliveries.sweep(now, new Date(sweptAt - settings.unusedIdMs))
  }
  const answer: Intermediary['answer'] = async (request) => {
    const budget = { take: (bytes: number) => (inFlight += bytes) <= settings.maxBytesInFlight, taken: 0 }
    try {
      const bytes = await readRequest(request, settings.maxBytes, budget)
      if (bytes === 'busy') return { status: 503, contentType: 'text/plain; charset=UTF-8', body: Buffer.from('busy') }
      if (deps.clock().getTime() - sweptAt > settings.idleMs) await sweep()
      return { status: 200, contentType: 'text/xml; charset=UTF-8', body: await answerRequest(context, bytes) }
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
    sweep,
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

const FAULTS: Partial<Record<MailboxErrorCode, string>> = {
  'mailbox/malformed': '9100',
  'mailbox/too-large': '9100',
  'mailbox/wrong-recipient': '9200',
  'mailbox/undecryptable': '9202',
  'mailbox/type-refused': '9300',
  'mailbox/control-block': '9400',
  'mailbox/certificate-missing': '9500',
  'mailbox/certificate-refused': '9501',
  'mailbox/certificate-revoked': '9502',
  'mailbox/dialog-needed': '9802',
}

/** A fault for whatever stopped a request; what is not the client's fault is logged here and told as 9000. */
function faultFor(context: ExchangeDeps, error: unknown): Buffer {
  const fault = mailboxErrorOf(error)
  const code = (fault instanceof MailboxError ? FAULTS[fault.code] : undefined) ?? '9000'
  if (code === '9000') context.log.error({ err: error }, 'the intermediary could not answer a request')
  else context.log.info({ code }, 'the intermediary refused a request')
  return writeFault(code, meaning(code), context.random)
}
