/**
 * What a mailbox works with: its storage, the opened keys of this server and the ways to intermediaries.
 *
 * Keys and links come from the composition root; rows name them (`mailbox.keyName`, `mailbox.intermediary`).
 */
import type { Mailbox, Storage, World } from '../storage/index.ts'
import { MailboxError } from './errors.ts'
import type { CertificateTrust } from './intermediary/inspection.ts'
import type { OsciIdentity, OsciParty } from './osci/identity.ts'
import type { OsciTransport } from './osci/transport.ts'

/** An intermediary as its clients need it: the certificates are the trust anchor of the hop. */
export interface IntermediaryLink {
  party: OsciParty
  transport: OsciTransport
}

/** How the practice court of this server answers. Waiting is in milliseconds. */
export interface PracticeCourtBehaviour {
  /** `prompt` answers when it collects, `late` after `delayMs`, `silent` collects and never answers */
  mood: 'prompt' | 'late' | 'silent'
  delayMs?: number
}

/** Bounds of one Nachricht and the patience of the relay. */
export interface MailboxLimits {
  /** files in one message (ERVB No 3: 1,000) */
  maxFiles: number
  /** sum of the files in bytes (ERVB No 3: 200 MB) */
  maxBytes: number
  /** how long a delivery may stay undecided before it is handed to a person */
  deliveryDeadlineMs: number
  /** pause between two looks into a mailbox */
  collectEveryMs: number
}

export const DEFAULT_LIMITS: MailboxLimits = {
  maxFiles: 1_000,
  maxBytes: 200_000_000,
  deliveryDeadlineMs: 24 * 3_600_000,
  collectEveryMs: 60_000,
}

export interface MailboxDeps extends World {
  storage: Storage
  /** opened keys by the name that `mailbox.keyName` holds */
  identities: ReadonlyMap<string, OsciIdentity>
  /** links by the name that `mailbox.intermediary` holds */
  intermediaries: ReadonlyMap<string, IntermediaryLink>
  practiceCourt: PracticeCourtBehaviour
  limits: MailboxLimits
}

/**
 * Keys of an own mailbox.
 *
 * @throws MailboxError `mailbox/unknown-mailbox` the mailbox belongs to somebody else or its keys are not opened here
 */
export function identityOf(deps: MailboxDeps, mailbox: Mailbox): OsciIdentity {
  const identity = mailbox.keyName === null ? undefined : deps.identities.get(mailbox.keyName)
  if (!identity) throw new MailboxError('mailbox/unknown-mailbox', `mailbox ${mailbox.id} has no keys on this server`)
  return identity
}

/**
 * The way to the intermediary of a mailbox.
 *
 * @throws MailboxError `mailbox/unknown-mailbox` the intermediary is not configured
 */
export function linkOf(deps: MailboxDeps, mailbox: Mailbox): IntermediaryLink {
  const link = deps.intermediaries.get(mailbox.intermediary)
  if (!link) throw new MailboxError('mailbox/unknown-mailbox', `the intermediary of mailbox ${mailbox.id} is unknown`)
  return link
}

/** The trust of an intermediary that serves exactly the mailboxes of this server's directory. */
export function mailboxTrust(storage: Storage): CertificateTrust {
  return async (certificate) => ((await storage.mailboxes.byCertificate(certificate)) ? 'known' : 'unknown')
}
