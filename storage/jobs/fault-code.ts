/** What the log and the job table may say of an error: its code or its class, never its text. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'not-an-error'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
