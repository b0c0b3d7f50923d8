/** What an operator does with the master key: rotate, back up, prove that a backup can be opened. */
import type { Actor } from './actor.ts'
import { makeBackup, openBackup } from './cipher/key-backup.ts'
import type { BackupLock } from './cipher/key-backup.ts'
import type { RotationResult } from './cipher/key-rotation.ts'
import { readMasterKeys } from './cipher/master-keys.ts'
import type { RowDeps } from './rows.ts'
import { createSettings } from './settings.ts'

export interface BackupState {
  /** true = a backup that holds the current master key was opened once after it was made */
  verified: boolean
  masterKeyId: string
  /** when the newest verification was, of whatever key; null = never */
  verifiedAt: Date | null
}

export interface Keys {
  /** See `KeyRing.rotateMaster`; a backup made before does not hold the new key. */
  rotateMaster(by: Actor): Promise<RotationResult>
  /**
   * Makes a backup of every master key in the folder. It counts only once `verifyBackup` has opened it.
   *
   * @returns one text for a passphrase, n texts for shares; they are shown once and kept nowhere
   * @throws StorageError `storage/bad-value` see `makeBackup`
   */
  backup(lock: BackupLock, by: Actor): Promise<string[]>
  /**
   * Opens a backup and compares it with the keys in use.
   *
   * @returns outdated = a backup of ours, but without the current master key
   * @throws StorageError `storage/backup-damaged`, `storage/backup-bad-passphrase`, `storage/backup-too-few-shares`
   */
  verifyBackup(texts: readonly string[], passphrase: string | null, by: Actor): Promise<'good' | 'outdated'>
  backupState(): Promise<BackupState>
}

const VERIFIED = 'key-backup-verified'

export function createKeys(deps: RowDeps): Keys {
  const { keyRing } = deps
  return {
    rotateMaster: async (by) => {
      const result = await keyRing.rotateMaster()
      const detail = { masterKey: result.masterKeyId, rewrapped: result.rewrapped, removed: result.removed.join('+') }
      await deps.within((db) => deps.record(db, { action: 'key.master-rotated', subject: null, by, detail }))
      return result
    },
    backup: async (lock, by) => {
      const masters = await readMasterKeys(keyRing.masterFolder)
      const texts = await makeBackup(masters, lock, deps)
      const detail = { kind: lock.kind, masterKeys: masters.map((master) => master.id).join('+') }
      await deps.within((db) => deps.record(db, { action: 'key.backed-up', subject: null, by, detail }))
      return texts
    },
    verifyBackup: (texts, passphrase, by) => verifyBackup(deps, { texts, passphrase }, by),
    backupState: () => backupState(deps),
  }
}

async function verifyBackup(
  deps: RowDeps,
  backup: { texts: readonly string[]; passphrase: string | null },
  by: Actor,
): Promise<'good' | 'outdated'> {
  const held = await openBackup(backup.texts, backup.passphrase)
  const present = await readMasterKeys(deps.keyRing.masterFolder)
  const good = present.every((master) => held.some((copy) => copy.id === master.id))
  for (const master of held) master.key.fill(0)
  if (!good) return 'outdated'
  const [newest] = present
  const masterKeyId = newest?.id ?? ''
  await deps.within(async (db) => {
    await createSettings({ ...deps, db }).set(VERIFIED, { masterKeyId, at: deps.clock().getTime() })
    await deps.record(db, { action: 'key.backup-verified', subject: null, by, detail: { masterKey: masterKeyId } })
  })
  return 'good'
}

async function backupState(deps: RowDeps): Promise<BackupState> {
  const masterKeyId = deps.keyRing.currentMasterKeyId()
  const noted = (await createSettings(deps).get(VERIFIED)) as { masterKeyId: string; at: number } | null
  if (noted === null) return { verified: false, masterKeyId, verifiedAt: null }
  return { verified: noted.masterKeyId === masterKeyId, masterKeyId, verifiedAt: new Date(noted.at) }
}
