/** Other people's programs that judge what we make: poppler's pdfsig, qpdf, OpenSSL. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

/**
 * Which of the programs (or, by their path, libraries) this machine lacks. A suite that needs one says so in one line and does not run; where services
 * are required (CI), it fails.
 */
function missingPrograms(...names: string[]): string[] {
  return names.filter((name) =>
    name.endsWith('.so') ? !existsSync(name) : spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined,
  )
}

/** True when all are there. Call while the suite is being described. */
export function programsFor(suite: string, ...names: string[]): boolean {
  const missing = missingPrograms(...names)
  if (missing.length === 0) return true
  if (process.env['AMTSBOTE_REQUIRE_SERVICES'] === '1') {
    it(`${suite} needs ${missing.join(', ')}`, () => {
      throw new Error(`not installed: ${missing.join(', ')}`)
    })
  } else console.log(`  ${suite}: not run, ${missing.join(' and ')} not installed`)
  return false
}

export interface Run {
  code: number
  output: string
}

/** Runs a program to its end; output of both channels. */
export async function run(program: string, ...args: string[]): Promise<Run> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { maxBuffer: 1 << 26 })
    return { code: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string }
    return { code: typeof code === 'number' ? code : -1, output: stdout + stderr }
  }
}
