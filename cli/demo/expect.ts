/** The demo's one assertion. */
import { CliError } from '../errors.ts'

/** Throws cli/check-failed naming what differs. */
export function equal(what: string, found: string | number, wanted: string | number): void {
  if (found !== wanted) throw new CliError('cli/check-failed', `${what}: found ${found}, wanted ${wanted}`)
}
