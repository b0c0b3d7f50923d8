/**
 * The key files of the installation, opened when they are needed: most commands never seal and never write to a court.
 *
 * Opening makes first what a new installation lacks (first-start.ts), so a server may listen before its trial keys are made.
 */
import type { Config } from './config.ts'
import { ensureTrialIdentities, ensureTrialMailboxes } from './first-start.ts'
import { openNewIdentities } from './identities.ts'
import { removeHalfWritten } from './key-files.ts'
import { openSealKey } from './seal-key.ts'
import type { OsciIdentity } from '../mailbox/index.ts'
import { checkSealKind, SigningError } from '../signing/index.ts'
import type { Http, OpenedKey, SigningKey } from '../signing/index.ts'
import type { Storage, World } from '../storage/index.ts'

export interface KeyFiles {
  /** opened keys of mailboxes and intermediary, by name; grows with every `openAll` */
  identities: ReadonlyMap<string, OsciIdentity>
  /**
   * The seal key; made and opened by the first call. The one place where every seal of this installation gets its key.
   *
   * @throws SigningError as the adapters; `signing/key-not-qualified` see `seal.allowAdvanced`
   */
  sealKey: () => Promise<SigningKey>
  /** Opens what is not open yet; before anything is sent, and again when mailboxes were added. */
  openAll: () => Promise<void>
  /** Runs `use` when the identity of this name is opened. */
  whenOpened: (name: string, use: (identity: OsciIdentity) => void) => void
  /** Lets go of a token. */
  close: () => Promise<void>
}

export function createKeyFiles(
  config: Config,
  { storage, world, http }: { storage: Storage; world: World; http: Http },
): KeyFiles {
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
  const openSeal = async (): Promise<OpenedKey> => {
    const opened = await openSealKey({ config, world, http })
    try {
      checkSealKind(opened.signing, config.seal.allowAdvanced)
    } catch (error) {
      await opened.close()
      throw error
    }
    return opened
  }
  const seal = onceUnlessItFails(openSeal)
  return {
    identities,
    openAll: oneAtATime(open),
    sealKey: async () => (await seal.get()).signing,
    close: async () => (await seal.made())?.close(),
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

interface Once<T> {
  get: () => Promise<T>
  /** null: not made, or failed */
  made: () => Promise<T | null>
}

/** A failure is forgotten, so that the next call tries again; a refused PIN is not: more tries may lock the token. */
function onceUnlessItFails<T>(work: () => Promise<T>): Once<T> {
  let result: Promise<T> | null = null
  return {
    get: () =>
      (result ??= work().catch((error: unknown) => {
        if (!(error instanceof SigningError && error.code === 'signing/pin-refused')) result = null
        throw error
      })),
    made: async () => result?.catch(() => null) ?? null,
  }
}
