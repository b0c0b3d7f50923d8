/** The shipped policy file, as the object that a YAML parser makes of it. A fresh copy per call. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

import { parseLevels } from '../../index.ts'
import type { Levels } from '../../index.ts'

export interface PolicyFile {
  schemaVersion: unknown
  policyVersion: unknown
  defaultLevel: unknown
  levels: LevelEntry[]
  [surplus: string]: unknown
}

export interface LevelEntry {
  id: string
  rank: unknown
  label: Record<string, unknown>
  audiences: Record<'staff' | 'external', AudienceEntry> & Record<string, unknown>
}

export interface AudienceEntry {
  factors: unknown
  sessionIdle: unknown
  sessionMax: unknown
  stepUpMaxAge: unknown
  invitation: { secondChannelCode: unknown; validity: unknown; [surplus: string]: unknown }
  [surplus: string]: unknown
}

const TEXT = readFileSync(new URL('../../levels.yaml', import.meta.url), 'utf8')

export function shippedFile(): PolicyFile {
  return parse(TEXT) as PolicyFile
}

/** The shipped file after `change`, read. */
export function levelsWith(change: (file: PolicyFile) => void): Levels {
  const file = shippedFile()
  change(file)
  return parseLevels(file)
}

export const shipped: Levels = parseLevels(shippedFile())

/** Entry of a level in a file; SB2 or SB3. */
export function entry(file: PolicyFile, id: string): LevelEntry {
  const found = file.levels.find((level) => level.id === id)
  if (found === undefined) throw new Error(`no level ${id}`)
  return found
}
