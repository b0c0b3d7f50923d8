/** What the pages say about the seal before anybody presses the button. */
import { SigningError } from '../signing/index.ts'
import type { SealDescription, Sealer } from './seal.ts'

/** `problem`: code of what keeps the key from being used now. */
export type ShownSeal = { kind: 'ready'; seal: SealDescription } | { kind: 'unavailable'; problem: string }

/** Null where no seal key is set up. A key that cannot be used is no reason not to show the page. */
export async function describeSeal(sealer: Sealer | null): Promise<ShownSeal | null> {
  if (sealer === null) return null
  try {
    return { kind: 'ready', seal: await sealer.describe() }
  } catch (error) {
    if (error instanceof SigningError) return { kind: 'unavailable', problem: error.code }
    throw error
  }
}
