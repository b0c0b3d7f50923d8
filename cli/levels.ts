/** The protection levels in force: the shipped file, tightened by the site's own where there is one. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { CliError } from './errors.ts'
import { parseLevels, PolicyError, tighten, type Levels } from '../policies/index.ts'

const SHIPPED = new URL('../policies/levels.yaml', import.meta.url)

/** Throws cli/bad-config when the site's file cannot be read, is wrong, or is laxer than the shipped one. */
export function readLevels(siteFile: string | undefined): Levels {
  const shipped = parseLevels(parse(readFileSync(SHIPPED, 'utf8')))
  if (siteFile === undefined) return shipped
  const name = path.basename(siteFile)
  try {
    return tighten(shipped, parseLevels(parse(readFileSync(siteFile, 'utf8'))))
  } catch (error) {
    const what = error instanceof PolicyError ? error.message : 'it cannot be read as YAML'
    throw new CliError('cli/bad-config', `levelsFile: ${name}: ${what}; correct the file, or leave levelsFile out`, {
      cause: error,
    })
  }
}

/** What stands in the audit log about the levels of a start. */
export function levelsEvidence(
  siteFile: string | undefined,
  levels: Levels,
): { policyVersion: string; sha256: string } {
  const bytes = siteFile === undefined ? readFileSync(SHIPPED) : readFileSync(siteFile)
  return { policyVersion: levels.policyVersion, sha256: createHash('sha256').update(bytes).digest('hex') }
}
