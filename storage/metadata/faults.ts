/** What the two databases throw, told in the codes of storage. */
import { StorageError } from '../errors.ts'

/** SQLite result codes (sqlite.org/rescode.html) and PostgreSQL SQLSTATEs (manual, appendix A) with one meaning here. */
const ALREADY_EXISTS = new Set(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY', '23505'])
const FOREIGN_KEY = new Set(['SQLITE_CONSTRAINT_FOREIGNKEY', '23503'])
const DISK_FULL = new Set(['SQLITE_FULL', '53100'])
const BAD_VALUE = new Set([
  'SQLITE_MISMATCH',
  'SQLITE_CONSTRAINT_DATATYPE',
  'SQLITE_CONSTRAINT_NOTNULL',
  'SQLITE_CONSTRAINT_CHECK',
  'SQLITE_TOOBIG',
  '23502',
  '23514',
])
const UNAVAILABLE = new Set([
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
  'SQLITE_CANTOPEN',
  'SQLITE_CORRUPT',
  'SQLITE_NOTADB',
  'SQLITE_PROTOCOL',
  // PostgreSQL: shutting down, crashed, starting, too many connections, rejected by the connection limit
  '57P01',
  '57P02',
  '57P03',
  '53300',
  // sockets
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
])

const AWAY =
  /connection terminated|timeout exceeded when trying to connect|connection error|query read timeout|not queryable/i

/** What people may have named twice, by column; of everything else only we make the values. */
const TAKEN: Readonly<Record<string, string>> = {
  'unit.name': 'there is already a unit of this name',
  'user_account.email_key': 'there is already an account with this e-mail address',
  'room.name_key': 'there is already a room of this name (upper and lower case count as the same)',
  'mailbox.name': 'there is already a mailbox of this name',
}

/** SQLite names the column, PostgreSQL the constraint, `<table>_<column>_key`. The value itself is never told. */
function takenBy(error: Error): string {
  const constraint = 'constraint' in error ? error.constraint : undefined
  const column = /UNIQUE constraint failed: (\w+\.\w+)$/.exec(error.message)?.[1]
  const known = Object.entries(TAKEN).find(([key]) => key === column || `${key.replace('.', '_')}_key` === constraint)
  return known?.[1] ?? 'a value that has to be unique is taken'
}

/**
 * Gives a driver's error a code of storage; passes what is neither known nor coded, for that is a bug and should look
 * like one.
 *
 * @param sql the statement, to tell a missing parent (insert) from remaining children (delete)
 */
export function asStorageError(error: unknown, sql: string): unknown {
  if (error instanceof StorageError || !(error instanceof Error)) return error
  const code = codeOf(error)
  if (ALREADY_EXISTS.has(code)) {
    return new StorageError('storage/already-exists', takenBy(error), error)
  }
  if (FOREIGN_KEY.has(code)) {
    return /^\s*delete/i.test(sql)
      ? new StorageError('storage/in-use', 'another row still refers to this one', error)
      : new StorageError('storage/not-found', 'a row that is referred to does not exist', error)
  }
  if (DISK_FULL.has(code)) return new StorageError('storage/disk-full', 'no room left for the database', error)
  // SQLSTATE class 22: data exceptions
  if (BAD_VALUE.has(code) || /^22[0-9A-Z]{3}$/.test(code)) {
    return new StorageError('storage/bad-value', 'the database refuses a value', error)
  }
  if (isAway(code, error)) return unavailable(error)
  return error
}

export function unavailable(cause: unknown): StorageError {
  return new StorageError('storage/database-unavailable', 'the database does not answer', cause)
}

/** PostgreSQL gave up one of two transactions: a deadlock or a serialization failure. Running it again helps. */
export function isRaceLost(error: unknown): boolean {
  const code = codeOf(error instanceof StorageError ? error.cause : error)
  return code === '40001' || code === '40P01'
}

export function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY')
}

function isAway(code: string, error: Error): boolean {
  // SQLSTATE class 08: connection exceptions
  if (UNAVAILABLE.has(code) || /^08[0-9A-Z]{3}$/.test(code)) return true
  if (/^SQLITE_(IOERR|BUSY|CANTOPEN|READONLY|CORRUPT)/.test(code)) return true
  // libsql reports a file that cannot be opened without any code
  return AWAY.test(error.message) || error.message.startsWith('ConnectionFailed')
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
