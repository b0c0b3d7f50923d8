/** How a version is called: its number, and which seal it bears. */
import type { FileVersion } from '../../storage/index.ts'
import type { Frame } from './layout.ts'

/** The notes are those of gateway/seal.ts: `sealed (trial)`, `sealed (advanced)`, `sealed (qualified)`. */
export function versionLabel({ texts }: Pick<Frame, 'texts'>, version: FileVersion): string {
  const number = String(version.number)
  const kind = /^sealed \((trial|advanced|qualified)\)$/.exec(version.note ?? '')?.[1]
  return kind === undefined ? number : `${number} (${texts.file.sealed[kind as keyof typeof texts.file.sealed]})`
}
