/**
 * What is allowed: tables and pure functions. No package, no Node module, no clock, no I/O.
 *
 * The law is `levels.yaml`; `parseLevels` reads it from the object that a YAML parser made, `tighten` lays a site's
 * stricter file over it. Every route, page and command asks `decide` and obeys its answer.
 */
export { PolicyError } from './errors.ts'
export type { PolicyErrorCode } from './errors.ts'
export { AUDIENCES, FACTORS, LEVELS, requireLevel } from './levels.ts'
export type { Audience, Factor, Level, Levels } from './levels.ts'
export { parseLevels } from './protection-levels.ts'
export { diffLevels, tighten } from './ladder.ts'
export { ACTIONS, ROLES, decide, explain } from './access.ts'
export type { Action, Decision, Question, ResourceState, Role } from './access.ts'
export {
  INVITATION_CODE,
  LOCKOUT,
  PASSWORD,
  TOTP,
  assuranceOf,
  invitationRules,
  judgePassword,
  lockoutVerdict,
  mayEnrolSecondFactor,
  satisfied,
  sessionLimits,
  sessionState,
} from './credentials.ts'
export type { Assurance, AttemptRecord, EnrolmentFacts, LockoutRule, SessionFacts } from './credentials.ts'
export { judgeAlgorithm, judgeDigest, judgeSigningKey } from './algorithms.ts'
export type { AlgorithmPolicy, AlgorithmVerdict } from './algorithms.ts'
export { COURT_LIMITS, COURT_PDF_VERSIONS, COURT_RULES, EXECUTABLE_ENDINGS, SIGNATURE_ENDINGS } from './court-form.ts'
export type { CourtRule, CourtRuleId, CourtSeverity } from './court-form.ts'
export { judgeCourtNames, nameEnding, nameKey } from './court-names.ts'
