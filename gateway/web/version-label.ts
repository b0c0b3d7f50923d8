/** How a version is called: its number, and whether it bears a seal. */
import type { FileVersion } from '../../storage/index.ts'
import type { Frame } from './layout.ts'

/** The notes are those of gateway/seal.ts: `sealed (trial)`, `sealed (advanced)`, `sealed (qualified)`. */
export function versionLabel({ texts }: Pick<Frame, 'texts'>, version: FileVersion): string {
  const number = String(version.number)
  if (version.note?.startsWith('sealed') !== true) return number
  return `${number} (${version.note === 'sealed (trial)' ? texts.file.sealedTrial : texts.file.sealed})`
}
