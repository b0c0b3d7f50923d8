/** Faults of the command line itself; each message is one line that says what to do. Exit codes are in docs/operations.md. */

export type CliErrorCode =
  /** the configuration file is absent, unreadable or wrong */
  | 'cli/bad-config'
  /** a file given to `apply` is wrong; the message names the line */
  | 'cli/bad-document'
  /** arguments do not fit together */
  | 'cli/usage'
  /** a named thing (room, user, file) does not exist */
  | 'cli/not-found'
  /** the answer is no: an audit chain that is broken, a check that failed */
  | 'cli/check-failed'
  /** the server answered, and not with what was asked for */
  | 'cli/server-refused'
  /** the server does not answer */
  | 'cli/unreachable'
  /** the data folder is damaged or half made in a way that no start repairs */
  | 'cli/bad-data-folder'

export class CliError extends Error {
  readonly code: CliErrorCode
  override readonly name = 'CliError'

  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** 0 done · 1 fault · 2 wrong usage, configuration or document · 3 a check said no · 4 a check could not decide. 130 and 143 are signals, as usual. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CliError)) return 1
  switch (error.code) {
    case 'cli/bad-config':
    case 'cli/bad-document':
    case 'cli/usage':
      return 2
    case 'cli/check-failed':
      return 3
    case 'cli/not-found':
    case 'cli/server-refused':
    case 'cli/unreachable':
    case 'cli/bad-data-folder':
      return 1
  }
}

/** A check that came to its end without an answer (`court-form`). */
export const EXIT_UNDECIDED = 4

/** What needs time-stamps, and none can be had. */
export function noAuthority(): CliError {
  return new CliError(
    'cli/bad-config',
    'no time-stamping authority is set up; name one in signatures.timestampServices',
  )
}
