/**
 * What the main thread and a validation thread say to each other. Plain data; one validation at a time.
 *
 * The thread has no way outside: bytes of documents and answers from the network are asked for here.
 */
import type { SigningErrorCode } from '../../errors.ts'
import type { HttpRequest } from '../../http.ts'
import type { ValidationReport } from '../report.ts'

/** To the thread. */
export type Order =
  /** sizes in bytes; `content` null: the document carries what it signs */
  | { kind: 'validate'; now: Date; size: number; contentSize: number | null }
  /** to the question with this number */
  | { kind: 'bytes'; id: number; bytes: Uint8Array }
  | { kind: 'response'; id: number; status: number; headers: Readonly<Record<string, string>>; body: Uint8Array }
  | { kind: 'refused'; id: number; fault: Fault }

export type Question =
  | { kind: 'read'; id: number; of: 'document' | 'content'; position: number; length: number }
  | { kind: 'fetch'; id: number; request: HttpRequest }

/** From the thread. */
export type Word =
  | Question
  /** anchors and lists are at hand: from now on the time is that of the document */
  | { kind: 'begun' }
  | { kind: 'judged'; report: ValidationReport }
  | { kind: 'failed'; fault: Fault }

/** An error on its way between threads, where classes are lost. */
export interface Fault {
  /** null: none of this module's; a fault nobody foresaw */
  code: SigningErrorCode | null
  message: string
}
