/**
 * The one judgement of access. Web, API and command line ask `decide` before every act and obey its answer.
 *
 * Default deny: an act is allowed only when every check of `CHECKS` lets it pass. Pure; takes `now`.
 */
import { satisfied, strictest } from './credentials.ts'
import type { Assurance } from './credentials.ts'
import type { Audience, AudienceRules, Factor, Level, Levels } from './levels.ts'

/** What a member of a room may be. Each role may do what those before it may. */
export const ROLES = ['reader', 'contributor', 'manager'] as const
export type Role = (typeof ROLES)[number]

interface ActionRule {
  /** `room`: needs a resource and a role in it; `house`: only administrators; `self`: one's own account */
  readonly scope: 'room' | 'house' | 'self'
  /** the least role in the room; null where the scope is not a room */
  readonly role: Role | null
  /** administrators may do it without a role: never anything that shows content */
  readonly adminToo: boolean
  /** only the city's own people */
  readonly staffOnly: boolean
  /** changes content: refused in a room that is closed */
  readonly writes: boolean
  /** `signed-in`: the measure of the lowest level; `level`: of the resource's level; `strictest`: of the highest */
  readonly assurance: 'signed-in' | 'level' | 'strictest'
}

const ROOM = { scope: 'room', adminToo: false, staffOnly: false, writes: false, assurance: 'level' } as const
const HOUSE = {
  scope: 'house',
  role: null,
  adminToo: true,
  staffOnly: true,
  writes: false,
  assurance: 'strictest',
} as const

const RULES = {
  /** see that the room exists: its name and level */
  'room.list': { ...ROOM, role: 'reader', adminToo: true, assurance: 'signed-in' },
  /** see the names and versions of its files */
  'room.read': { ...ROOM, role: 'reader' },
  'file.download': { ...ROOM, role: 'reader' },
  'file.upload': { ...ROOM, role: 'contributor', writes: true },
  /** the authority's own seal: never by an external */
  'file.seal': { ...ROOM, role: 'contributor', staffOnly: true, writes: true },
  'file.erase': { ...ROOM, role: 'manager', writes: true },
  /** members, name, closing and opening; shows no content */
  'room.manage': { ...ROOM, role: 'manager', adminToo: true, staffOnly: true },
  /** send files of the room to a court */
  'message.send': { ...ROOM, role: 'contributor', staffOnly: true },
  'room.create': HOUSE,
  /** units, users, invitations, mailboxes */
  'house.manage': HOUSE,
  /** see one's own account and sessions, end them */
  'account.read': {
    scope: 'self',
    role: null,
    adminToo: false,
    staffOnly: false,
    writes: false,
    assurance: 'signed-in',
  },
} as const satisfies Record<string, ActionRule>

export type Action = keyof typeof RULES
export const ACTIONS = Object.keys(RULES) as Action[]

export interface Actor {
  readonly userId: string
  readonly audience: Audience
  readonly admin: boolean
  /** in the room that the question is about; null = not a member, or no room */
  readonly role: Role | null
  /** false for an account that is only invited, or disabled */
  readonly active: boolean
}

export type ResourceState = 'open' | 'closed' | 'destroyed'

/** The room that the act is about. */
export interface Resource {
  readonly level: Level
  readonly state: ResourceState
}

export interface Question {
  readonly actor: Actor
  readonly action: Action
  /** null for acts on no room */
  readonly resource: Resource | null
  readonly assurance: Assurance
}

/**
 * - `account-inactive`: only invited, or disabled
 * - `administrators-only`, `staff-only`: the account is of another kind
 * - `not-a-member`: no role in the room; an edge that must not tell says "not found"
 * - `role-too-low`: a member, but the act needs a higher role
 * - `room-closed`: nothing is written here any more
 * - `key-destroyed`: the room's contents are gone for good
 * - `level-not-in-force`: the policy file does not define the room's level
 * - `session-too-old`: sign in again; a step-up does not help
 */
export type DenyReason =
  | 'account-inactive'
  | 'administrators-only'
  | 'staff-only'
  | 'not-a-member'
  | 'role-too-low'
  | 'room-closed'
  | 'key-destroyed'
  | 'level-not-in-force'
  | 'session-too-old'

export type Decision =
  | { readonly kind: 'allow' }
  | { readonly kind: 'deny'; readonly reason: DenyReason }
  /** prove these factors (anew), then ask again */
  | { readonly kind: 'step-up'; readonly factors: readonly Factor[] }

/**
 * Judges one act. Denials come before step-ups: nobody is asked for a code to learn that the answer is no.
 *
 * @param now the moment of the request; ages of proofs are measured against it
 */
export function decide(question: Question, levels: Levels, now: Date): Decision {
  for (const { judge } of CHECKS) {
    const verdict = judge(question, levels, now)
    if (verdict !== null) return verdict
  }
  return { kind: 'allow' }
}

/** The same judgement with every check named, for an operator who asks why. Stops at the check that decided. */
export function explain(
  question: Question,
  levels: Levels,
  now: Date,
): { decision: Decision; checks: { check: string; verdict: Decision['kind'] | 'passed' }[] } {
  const checks: { check: string; verdict: Decision['kind'] | 'passed' }[] = []
  for (const { name, judge } of CHECKS) {
    const verdict = judge(question, levels, now)
    checks.push({ check: name, verdict: verdict?.kind ?? 'passed' })
    if (verdict !== null) return { decision: verdict, checks }
  }
  return { decision: { kind: 'allow' }, checks }
}

/** null = this check has no objection. */
type Judge = (question: Question, levels: Levels, now: Date) => Decision | null

const CHECKS: readonly { readonly name: string; readonly judge: Judge }[] = [
  { name: 'the account is active', judge: ({ actor }) => (actor.active ? null : deny('account-inactive')) },
  { name: 'the account is of the right kind', judge: judgeKind },
  { name: 'the room gives the account this right', judge: judgeRole },
  { name: 'the state of the room allows it', judge: judgeState },
  { name: 'the session is young enough', judge: judgeAge },
  { name: 'the factors are proven and fresh', judge: judgeFactors },
]

function judgeKind({ actor, action }: Question): Decision | null {
  const rule: ActionRule = RULES[action]
  if (rule.scope === 'house' && !actor.admin) return deny('administrators-only')
  return rule.staffOnly && actor.audience !== 'staff' ? deny('staff-only') : null
}

function judgeRole({ actor, action, resource }: Question): Decision | null {
  const rule: ActionRule = RULES[action]
  if (rule.role === null) return null
  if (resource === null) return deny('not-a-member')
  if (rule.adminToo && actor.admin) return null
  if (actor.role === null) return deny('not-a-member')
  return ROLES.indexOf(actor.role) >= ROLES.indexOf(rule.role) ? null : deny('role-too-low')
}

function judgeState({ action, resource }: Question): Decision | null {
  const rule: ActionRule = RULES[action]
  if (resource === null || rule.assurance === 'signed-in') return null
  if (resource.state === 'destroyed') return deny('key-destroyed')
  return resource.state === 'closed' && rule.writes ? deny('room-closed') : null
}

function judgeAge(question: Question, levels: Levels, now: Date): Decision | null {
  const rules = demandedRules(question, levels)
  if (rules === null) return deny('level-not-in-force')
  const ageMs = now.getTime() - question.assurance.since.getTime()
  return ageMs < rules.sessionMaxMs ? null : deny('session-too-old')
}

function judgeFactors(question: Question, levels: Levels, now: Date): Decision | null {
  const rules = demandedRules(question, levels)
  if (rules === null) return deny('level-not-in-force')
  const missing = satisfied(rules.factorSets, question.assurance, rules, now)
  return missing.length === 0 ? null : { kind: 'step-up', factors: missing }
}

/** The rules whose measure the act takes; null = the resource's level is not in force. */
function demandedRules({ actor, action, resource }: Question, levels: Levels): AudienceRules | null {
  const { assurance }: ActionRule = RULES[action]
  switch (assurance) {
    case 'signed-in':
      return levels.ladder[0]?.audiences[actor.audience] ?? null
    case 'strictest':
      return strictest(levels).audiences[actor.audience]
    case 'level':
      return resource === null ? null : (levels.byId.get(resource.level)?.audiences[actor.audience] ?? null)
  }
}

function deny(reason: DenyReason): Decision {
  return { kind: 'deny', reason }
}
