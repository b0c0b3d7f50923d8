/**
 * Faults of this folder. Denials are verdicts (access.ts), never thrown.
 */

/**
 * - `policies/bad-levels`: the file does not have the shape of levels.schema.json; the message names the place
 * - `policies/ladder-broken`: a level is laxer than the one below it, or lacks what its rank demands
 * - `policies/laxer-than-shipped`: a site's own file loosens what the shipped one asks
 */
export type PolicyErrorCode = 'policies/bad-levels' | 'policies/ladder-broken' | 'policies/laxer-than-shipped'

export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly code: PolicyErrorCode

  constructor(code: PolicyErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
