/** Court mail of this installation: the mailbox module, and the embedded intermediary behind it where one is wanted. */
import type { Config } from './config.ts'
import { CliError } from './errors.ts'
import { INTERMEDIARY } from './first-start.ts'
import type { KeyFiles } from './opened-keys.ts'
import type { Outside } from './outside.ts'
import { SITE_LIMITS, type AnswerOsci } from '../gateway/index.ts'
import { createIntermediary, createMailbox, httpTransport, mailboxTrust, partyOf } from '../mailbox/index.ts'
import type { Intermediary, IntermediaryLink, MailboxModule, OsciIdentity } from '../mailbox/index.ts'
import type { Storage, World } from '../storage/index.ts'

export interface CourtMail {
  mailbox: MailboxModule
  /** null = no intermediary is embedded */
  answer: AnswerOsci | null
}

interface CourtMailDeps {
  config: Config
  storage: Storage
  world: World
  keys: KeyFiles
  outside: Outside
}

/** Nothing is sent or collected before `keys.openAll` has run once. */
export function createCourtMail({ config, storage, world, keys, outside }: CourtMailDeps): CourtMail {
  const intermediaries = new Map<string, IntermediaryLink>()
  let embedded: Intermediary | null = null
  const { practiceCourt, pollSeconds } = config.court
  const mailbox = createMailbox({
    ...{ storage, identities: keys.identities, intermediaries, ...world },
    practiceCourt: { mood: practiceCourt ? 'prompt' : 'silent' },
    limits: { collectEveryMs: pollSeconds * 1000 },
  })
  const embed = (identity: OsciIdentity): void => {
    embedded = createIntermediary({ identity, storage, trust: mailboxTrust(storage), ...world })
    intermediaries.set('embedded', {
      party: partyOf(identity),
      transport: embeddedTransport(config, embedded, outside),
    })
  }
  if (config.intermediary) keys.whenOpened(INTERMEDIARY, embed)
  const answer: AnswerOsci = async (request) => {
    if (embedded === null) await keys.openAll()
    if (embedded !== null) return embedded.answer(request)
    throw new CliError('cli/bad-data-folder', 'the keys of the intermediary are gone from the keys folder')
  }
  return { mailbox, answer: config.intermediary ? answer : null }
}

/** Over HTTP like any other client; with TLS by a call, because the certificate need not name this machine. */
function embeddedTransport(
  config: Config,
  embedded: Intermediary,
  { ownOrigin }: Outside,
): IntermediaryLink['transport'] {
  if (config.tls) return embedded.transport
  const waitMs = config.court.timeoutSeconds * 1000
  return (message, signal) =>
    httpTransport({
      url: `${ownOrigin()}/osci`,
      connectTimeoutMs: Math.min(waitMs, 10_000),
      answerTimeoutMs: waitMs,
      maxAnswerBytes: SITE_LIMITS.maxOsciBytes,
    })(message, signal)
}
