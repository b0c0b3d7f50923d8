/** The fault that sends a call to another session; apart from session.ts, so that only threads load the C interface. */

/** The session or the token went away: worth one more try with a new session. */
export class SessionLost extends Error {
  override readonly name = 'SessionLost'
}
