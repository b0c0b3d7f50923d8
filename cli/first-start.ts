/**
 * What a new installation needs before it can serve: trial keys as PKCS#12 files, and the rows of the practice court and the trial mailbox.
 *
 * Every step looks for its result first, so a start that was killed half way is completed by the next one. Later starts change nothing.
 */
import type { Config } from './config.ts'
import { ensureIdentity, openIdentity, type OpenIdentity } from './identities.ts'
import { ensureTrialKey } from './key-files.ts'
import type { Actor, Storage, World } from '../storage/index.ts'

export const SEAL_KEY = 'seal'
export const INTERMEDIARY = 'intermediary'
export const PRACTICE_COURT = 'practice-court'
export const TRIAL_MAILBOX = 'trial-mailbox'

const IDENTITIES = [
  { name: INTERMEDIARY, commonName: 'Amtsbote Intermediär (Probe)' },
  { name: PRACTICE_COURT, commonName: 'Übungsgericht (Probe)' },
  { name: TRIAL_MAILBOX, commonName: 'Probepostfach (Probe)' },
] as const

/** The two mailboxes of a new installation; names are shown to people. */
const MAILBOXES = [
  { key: PRACTICE_COURT, name: 'Übungsgericht', address: 'uebungsgericht', kind: 'practice-court' },
  { key: TRIAL_MAILBOX, name: 'Probepostfach', address: 'probepostfach', kind: 'own' },
] as const

const BY: Actor = { kind: 'system', name: 'first-start' }

/** Makes the trial seal key unless a seal key is there. */
export async function ensureSealKey(folder: string, needs: Pick<World, 'clock' | 'random'>): Promise<void> {
  await ensureTrialKey(folder, { name: SEAL_KEY, usage: 'seal', commonName: 'Amtsbote Siegel (Probe)' }, needs)
}

/** Makes the keys of intermediary, practice court and trial mailbox that are missing. */
export async function ensureTrialIdentities(folder: string, needs: Pick<World, 'clock' | 'random'>): Promise<void> {
  await Promise.all(IDENTITIES.map((identity) => ensureIdentity(folder, identity, needs)))
}

/** Adds the mailboxes that are missing, each with its certificates. A mailbox that is there stays as it is. */
export async function ensureTrialMailboxes(storage: Storage, { keysFolder, court }: Config): Promise<void> {
  for (const { key, name, address, kind } of MAILBOXES) {
    if (kind === 'practice-court' && !court.practiceCourt) continue
    if ((await storage.mailboxes.byName(name)) !== null) continue
    const identity: OpenIdentity | null = await openIdentity(keysFolder, key)
    if (!identity) continue
    await storage.mailboxes.create({ name, address, kind, keyName: key, ...identity.certificates }, BY)
  }
}
