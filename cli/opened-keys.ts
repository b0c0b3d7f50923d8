/**
 * The key files of the installation, opened when they are needed: most commands never seal and never write to a court.
 *
 * Opening makes first what a new installation lacks (first-start.ts), so a server may listen before its trial keys are made.
 */
import type { Config } from './config.ts'
import { CliError } from './errors.ts'
import { ensureSealKey, ensureTrialIdentities, ensureTrialMailboxes, SEAL_KEY } from './first-start.ts'
import { openNewIdentities } from './identities.ts'
import { openKeyFile, removeHalfWritten } from './key-files.ts'
import type { OsciIdentity } from '../mailbox/index.ts'
import type { SigningKey } from '../signing/index.ts'
import type { Storage, World } from '../storage/index.ts'

export interface KeyFiles {
  /** opened keys of mailboxes and intermediary, by name; grows with every `openAll` */
  identities: ReadonlyMap<string, OsciIdentity>
  /** The seal key; made and opened by the first call. */
  sealKey: () => Promise<SigningKey>
  /** Opens what is not open yet; before anything is sent, and again when mailboxes were added. */
  openAll: () => Promise<void>
  /** Runs `use` when the identity of this name is opened. */
  whenOpened: (name: string, use: (identity: OsciIdentity) => void) => void
}

export function createKeyFiles(config: Config, { storage, world }: { storage: Storage; world: World }): KeyFiles {
  const { keysFolder } = config
  const identities = new Map<string, OsciIdentity>()
  const waiting = new Map<string, (identity: OsciIdentity) => void>()

  const open = async (): Promise<void> => {
    await ensureTrialIdentities(keysFolder, world)
    await removeHalfWritten(keysFolder, world.clock())
    await ensureTrialMailboxes(storage, config)
    await openNewIdentities(keysFolder, identities)
    for (const [name, use] of waiting) {
      const identity = identities.get(name)
      if (identity && waiting.delete(name)) use(identity)
    }
  }
  const openSeal = async (): Promise<SigningKey> => {
    await ensureSealKey(keysFolder, world)
    const keys = await openKeyFile(keysFolder, SEAL_KEY)
    if (!keys) throw new CliError('cli/bad-data-folder', `${SEAL_KEY}.p12 is gone from the keys folder; put it back`)
    return keys.signing
  }
  return {
    identities,
    openAll: oneAtATime(open),
    sealKey: onceUnlessItFails(openSeal),
    whenOpened: (name, use) => void waiting.set(name, use),
  }
}

/** Calls during a run wait for that run. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  return () =>
    (running ??= work().finally(() => {
      running = null
    }))
}

function onceUnlessItFails<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null
  return () =>
    (result ??= work().catch((error: unknown) => {
      result = null
      throw error
    }))
}
