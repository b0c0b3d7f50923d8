/**
 * Redeeming an invitation: link, code of the second channel, password and second factor become an account that can
 * sign in, all at once or not at all.
 *
 * Nothing is kept between the pages. The TOTP key follows from the secret of the browser's visit and a key of the house,
 * so that looking at the page again shows the same one, and what a browser keeps does not give it away later; the invitation's code travels along and is checked again at the end, so that it
 * is not enough to hold the link after somebody else entered the code.
 */
import { createHmac } from 'node:crypto'
import { TOTP, judgePassword, mayEnrolSecondFactor } from '../../policies/index.ts'
import type { Levels } from '../../policies/index.ts'
import { isStorageError } from '../../storage/index.ts'
import type { OpenInvitation, Rows, Storage, User, World } from '../../storage/index.ts'
import { GatewayError } from '../errors.ts'
import type { Passwords } from './password.ts'
import type { SignIn } from './sign-in.ts'
import { base32, checkCode } from './totp.ts'

/** An invitation as its page needs it. */
export interface InvitationView {
  invitation: OpenInvitation
  /** null for the first administrator */
  user: User | null
  /** whether a second factor is set up with it */
  enrols: boolean
}

export interface Acceptance {
  token: string
  invitationCode: string
  password: string
  /** secret of the browser visit that the TOTP key follows from */
  visit: string
  /** six digits; empty where no second factor is set up */
  code: string
  /** who the first administrator is; otherwise ignored */
  person: { name: string; email: string }
}

export interface InvitationFlow {
  /** @throws GatewayError `gateway/link-gone` */
  look(token: string): Promise<InvitationView>
  /** @throws GatewayError `gateway/link-gone` the last try was wrong too, or the link is void */
  tryCode(token: string, code: string): Promise<'accepted' | 'wrong'>
  /** The TOTP key of this visit for this invitation, base32. */
  totpSecret(token: string, visit: string): Promise<string>
  /**
   * Sets up the account and opens a session with what was just proven.
   *
   * @returns the session token
   * @throws GatewayError `gateway/bad-input`, `gateway/weak-password`, `gateway/wrong-code`, `gateway/link-gone`
   * @throws StorageError `storage/already-exists` the address of the first administrator is taken
   */
  accept(acceptance: Acceptance): Promise<string>
}

export interface InvitationDeps extends Pick<World, 'clock'> {
  storage: Storage
  levels: Levels
  passwords: Passwords
  signIn: SignIn
}

const SYSTEM = { kind: 'system', name: 'invitation' } as const

export function createInvitationFlow(deps: InvitationDeps): InvitationFlow {
  const { storage, clock, passwords } = deps

  async function look(token: string): Promise<InvitationView> {
    const invitation = await storage.invitations.open(token, clock())
    if (invitation === null) throw new GatewayError('gateway/link-gone')
    const user = invitation.userId === null ? null : await storage.users.byId(invitation.userId)
    if (user?.state === 'disabled') throw new GatewayError('gateway/link-gone')
    return { invitation, user, enrols: enrols(deps, invitation, user) }
  }

  async function tryCode(token: string, code: string): Promise<'accepted' | 'wrong'> {
    const verdict = await storage.invitations.tryCode(token, code.replace(/\D/g, ''), clock())
    if (verdict === 'dead') throw new GatewayError('gateway/link-gone')
    return verdict
  }

  async function accept(acceptance: Acceptance): Promise<string> {
    const view = await look(acceptance.token)
    if (view.invitation.needsCode && (await tryCode(acceptance.token, acceptance.invitationCode)) === 'wrong') {
      throw new GatewayError('gateway/wrong-code', { facts: { reason: 'invitation' } })
    }
    const email = view.user?.email ?? firstAddress(acceptance)
    const verdict = judgePassword(acceptance.password, [email, email.split('@', 1).join('')])
    if (verdict !== 'good') throw new GatewayError('gateway/weak-password', { facts: { rule: verdict } })
    const factor = view.enrols ? await provenFactor(acceptance) : null
    const hash = await passwords.hash(acceptance.password)
    return storage.transact((rows) => setUp(deps, rows, { acceptance, view, hash, factor }))
  }

  async function provenFactor(acceptance: Acceptance): Promise<NewFactor> {
    const secret = await totpSecret(acceptance.token, acceptance.visit)
    const check = await checkCode(secret, acceptance.code, clock())
    if (check.kind !== 'right') throw new GatewayError('gateway/wrong-code', { facts: { reason: check.kind } })
    return { secret, step: check.step }
  }

  /** 160 bits (RFC 4226 §4, R6), another for every link and visit. */
  async function totpSecret(token: string, visit: string): Promise<string> {
    const key = await storage.keyRing.hmacKey(storage.database.kysely, 'totp-enrolment')
    const bytes = createHmac('sha256', key).update(`${token}\n${visit}`).digest()
    return base32(bytes.subarray(0, TOTP.secretBytes))
  }

  return { look, tryCode, totpSecret, accept }
}

/** The first administrator says who they are. @throws GatewayError `gateway/bad-input` */
function firstAddress({ person }: Acceptance): string {
  if (person.name.trim() !== '' && /^[^\s@]+@[^\s@]+$/.test(person.email)) return person.email
  throw new GatewayError('gateway/bad-input', { facts: { fields: ['name', 'email'] } })
}

interface SetUp {
  acceptance: Acceptance
  view: InvitationView
  hash: string
  factor: NewFactor | null
}

interface NewFactor {
  /** base32 */
  secret: string
  /** time step of the code that proved it */
  step: number
}

async function setUp(deps: InvitationDeps, rows: Rows, { acceptance, view, hash, factor }: SetUp): Promise<string> {
  await consume(rows, view.invitation)
  const user = view.user ?? (await rows.users.create({ ...acceptance.person, audience: 'staff', admin: true }, SYSTEM))
  const self = { kind: 'user', id: user.id } as const
  await rows.users.setPassword(user.id, hash, self)
  if (factor !== null) await rows.users.setTotp(user.id, factor.secret, factor.step, self)
  return deps.signIn.open(rows, user, factor === null ? ['password'] : ['password', 'totp'], deps.clock())
}

/** Whoever comes second finds the link used up. */
async function consume(rows: Rows, invitation: OpenInvitation): Promise<void> {
  try {
    await rows.invitations.consume(invitation.id, SYSTEM)
  } catch (cause) {
    if (isStorageError(cause, 'storage/not-found')) throw new GatewayError('gateway/link-gone', { cause })
    throw cause
  }
}

/**
 * Whether this invitation sets up a second factor. An account that has one keeps it: replacing it wants a fresh proof
 * of the old one, or an operator who removes it first.
 */
function enrols(deps: InvitationDeps, invitation: OpenInvitation, user: User | null): boolean {
  if (user?.hasTotp === true) return false
  const { purpose, needsCode } = invitation
  const verdict = mayEnrolSecondFactor(
    {
      // asked as if the code had been entered: without it, accept() does not get as far as this
      invitation: { purpose, needsCode, codeAccepted: needsCode },
      hasSecondFactor: false,
      audience: user?.audience ?? 'staff',
      assurance: null,
    },
    deps.levels,
    deps.clock(),
  )
  return verdict.kind === 'allow'
}
