/** What people are told about the backup of the master key. */
import type { Storage } from '../storage/index.ts'

/** Null once a backup with the current master key was opened; else what to do, in one sentence. */
export async function backupWarning(storage: Storage): Promise<string | null> {
  const { verified, verifiedAt } = await storage.keys.backupState()
  if (verified) return null
  const why =
    verifiedAt === null
      ? 'no backup of the master key was ever verified'
      : 'the verified key backup does not hold the current master key'
  return `${why}; without that key nothing can be read again. Run \`amtsbote key backup\`, then \`amtsbote key backup-check\``
}
