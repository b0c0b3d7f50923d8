/**
 * Faults of the gateway: what is wrong with a request, as far as it is not a fault of the module that serves it.
 *
 * The code is the contract; http/problem.ts turns it into a status and a title. `facts` may travel to the client
 * and therefore never holds a secret, a file name or a person.
 */

export type GatewayErrorCode =
  /** The request cannot be understood: a field is missing, has the wrong shape, or stands there twice. */
  | 'gateway/bad-input'
  /** The body is larger than this endpoint reads. */
  | 'gateway/too-large'
  /** A file above the limit of the simple form; it needs the resumable upload. */
  | 'gateway/needs-resumable-upload'
  /** The body has a Content-Type that this endpoint does not read. */
  | 'gateway/wrong-media-type'
  /** No such address, or nothing there that this person may know of. */
  | 'gateway/not-found'
  | 'gateway/method-not-allowed'
  /** No session, or one that has ended. */
  | 'gateway/sign-in-required'
  /** E-mail and password do not fit; says nothing about which. */
  | 'gateway/wrong-credentials'
  /** The one-time code does not fit; `facts.reason` is wrong, clock or reused. */
  | 'gateway/wrong-code'
  /** The account has no second factor, and one is needed. */
  | 'gateway/no-second-factor'
  /** Policy says no; `facts.reason` names the rule. */
  | 'gateway/denied'
  /** Policy wants a further or a fresher factor; `facts.factors` names them. */
  | 'gateway/step-up-required'
  /** Too many tries on one account; `retryAfterSeconds` tells when to come back. */
  | 'gateway/locked-out'
  /** Too many requests from one address. */
  | 'gateway/too-many-requests'
  /** The request comes from a page of another site. */
  | 'gateway/foreign-origin'
  /** The form's token is missing or not the session's. */
  | 'gateway/csrf-refused'
  /** The asked byte range lies outside of the file; `facts.size` is its length. */
  | 'gateway/range-not-satisfiable'
  /** The invitation is used up, withdrawn, expired or never was. */
  | 'gateway/link-gone'
  /** tus: the client speaks another version of the protocol, or names none. */
  | 'gateway/tus-version-unsupported'
  /** tus: a newer request took this upload over; what had arrived until then is kept. */
  | 'gateway/upload-displaced'
  /** tus: a final upload (concatenation) takes no bytes of its own. */
  | 'gateway/upload-is-final'
  /** The file is not released (yet). */
  | 'gateway/file-not-released'
  /** a batch without a single file that could be sealed */
  | 'gateway/nothing-to-seal'
  /** The password breaks a rule; `facts.rule` names it. */
  | 'gateway/weak-password'
  /** More work than this process takes on at once. */
  | 'gateway/busy'
  /** Something this site has not set up, such as a seal key. */
  | 'gateway/not-configured'
  /** A fault nobody foresaw; the log has the cause under the request id. */
  | 'gateway/internal'

/** What may accompany a fault to the client. */
export interface GatewayFault {
  message?: string
  cause?: unknown
  /** extension members of the problem document */
  facts?: Record<string, string | number | readonly string[]>
  retryAfterSeconds?: number
}

/** A fault at the HTTP edge; see {@link GatewayErrorCode}. */
export class GatewayError extends Error {
  readonly code: GatewayErrorCode
  readonly facts: Record<string, string | number | readonly string[]>
  readonly retryAfterSeconds: number | null

  constructor(code: GatewayErrorCode, fault: GatewayFault = {}) {
    super(fault.message ?? code.slice('gateway/'.length).replaceAll('-', ' '), { cause: fault.cause })
    this.name = 'GatewayError'
    this.code = code
    this.facts = fault.facts ?? {}
    this.retryAfterSeconds = fault.retryAfterSeconds ?? null
  }
}
