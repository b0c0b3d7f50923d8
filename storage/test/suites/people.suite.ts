/** Units, users, attempts, invitations and sessions as rows: the same on every database. */
import assert from 'node:assert/strict'

import { LOCKOUT } from '../../../policies/index.ts'
import type { UserId } from '../../ids.ts'
import type { DatabaseConfig } from '../../metadata/database.ts'
import { codeIs } from '../support/codes.ts'
import { OPERATOR, openHouse, type House } from '../support/databases.ts'

export function peopleSuite(fresh: () => Promise<DatabaseConfig>): void {
  let house: House
  let storage: House['storage']
  let number = 0

  before(async function () {
    this.timeout(30_000)
    house = await openHouse(await fresh())
    storage = house.storage
  })
  after(() => storage.close())

  const newUser = () =>
    storage.users.create({ email: `p${++number}@stadt.example`, name: 'Anna', audience: 'staff' }, OPERATOR)
  const inAnHour = () => new Date(house.clock().getTime() + 3_600_000)
  const lastEntry = async () => {
    const { items } = await storage.audit.list({ limit: 1_000 })
    return items.at(-1)
  }

  it('keeps units in order of their names, each name once', async () => {
    for (const name of ['Tiefbauamt', 'Bauamt', 'Kämmerei']) await storage.units.create({ name }, OPERATOR)
    await assert.rejects(
      storage.units.create({ name: ' Bauamt ' }, OPERATOR),
      codeIs('storage/already-exists', /a unit of this name$/),
    )
    const first = await storage.units.list({ limit: 2 })
    const second = await storage.units.list({ limit: 2, after: first.next })
    assert.deepEqual(
      [...first.items, ...second.items].map((unit) => unit.name),
      ['Bauamt', 'Kämmerei', 'Tiefbauamt'],
    )
    assert.equal(second.next, null)
    const unit = await storage.units.byName('Bauamt')
    assert.equal(
      (await storage.units.change(unit?.id ?? ('' as never), { name: 'Hochbauamt' }, OPERATOR)).name,
      'Hochbauamt',
    )
  })

  it('finds a user by address in any case and composition', async () => {
    const user = await storage.users.create(
      { email: 'Jörg.Groß@Stadt.example', name: 'Jörg', audience: 'staff' },
      OPERATOR,
    )
    const found = await storage.users.byEmail(' JO\u0308RG.GROß@stadt.EXAMPLE ')
    assert.equal(found?.id, user.id)
    assert.equal(found.email, 'Jörg.Groß@Stadt.example')
    assert.deepEqual([user.state, user.hasPassword, user.hasTotp, user.admin], ['invited', false, false, false])
    const twin = storage.users.create({ email: 'jörg.groß@stadt.example', name: 'X', audience: 'external' }, OPERATOR)
    await assert.rejects(twin, codeIs('storage/already-exists', /an account with this e-mail address$/))
  })

  for (const email of [
    '',
    'x',
    'a@',
    '@b',
    'a b@c.de',
    'a@b\0.de',
    'a@b.de\n',
    '\u202ea@b.de',
    `${'x'.repeat(250)}@b.de`,
  ]) {
    it(`refuses ${JSON.stringify(email.slice(0, 20))} as an address`, async () => {
      const create = storage.users.create({ email, name: 'A', audience: 'staff' }, OPERATOR)
      // a line end at the border is trimmed, so only what is left inside counts
      if (email.trim() === 'a@b.de') await assert.doesNotReject(create)
      else await assert.rejects(create, codeIs('storage/bad-value'))
    })
  }

  it('pages through users by address', async () => {
    await Promise.all([newUser(), newUser(), newUser()])
    const seen: string[] = []
    let after: string | null = null
    do {
      const page = await storage.users.list({ limit: 2, after })
      seen.push(...page.items.map((user) => user.email.toLowerCase()))
      after = page.next
    } while (after !== null)
    assert.equal(new Set(seen).size, seen.length)
    assert.ok(seen.length >= 4)
    await assert.rejects(storage.users.list({ after: 'not a cursor' }), codeIs('storage/bad-value'))
    await assert.rejects(storage.users.list({ limit: 0 }), codeIs('storage/bad-value'))
    await assert.rejects(storage.users.list({ limit: 1_001 }), codeIs('storage/bad-value'))
  })

  it('makes an invited user active with the first password, and ends the sessions with every password', async () => {
    const user = await newUser()
    await storage.users.setPassword(user.id, '$argon2id$1', OPERATOR)
    assert.equal((await storage.users.byId(user.id)).state, 'active')
    const { token } = await storage.sessions.create(
      { userId: user.id, kind: 'browser', factors: {}, expiresAt: inAnHour() },
      OPERATOR,
    )
    await storage.users.setPassword(user.id, '$argon2id$2', OPERATOR)
    assert.equal(await storage.users.passwordHash(user.id), '$argon2id$2')
    assert.equal(await storage.sessions.byToken(token, house.clock()), null)
  })

  it('ends the sessions of a disabled user and gives the state back', async () => {
    const user = await newUser()
    const session = { userId: user.id, kind: 'token', factors: {}, expiresAt: inAnHour(), label: 'x' } as const
    const { token } = await storage.sessions.create(session, OPERATOR)
    await storage.users.disable(user.id, OPERATOR)
    assert.equal((await storage.users.byId(user.id)).state, 'disabled')
    assert.equal(await storage.sessions.byToken(token, house.clock()), null)
    await storage.users.enable(user.id, OPERATOR)
    assert.equal((await storage.users.byId(user.id)).state, 'invited')
  })

  it('names a user that does not exist', async () => {
    const nobody = '00000000-0000-4000-8000-000000000000' as UserId
    const gone = codeIs('storage/not-found')
    await assert.rejects(storage.users.byId(nobody), gone)
    await assert.rejects(storage.users.change(nobody, { admin: true }, OPERATOR), gone)
    await assert.rejects(storage.users.setPassword(nobody, 'x', OPERATOR), gone)
    await assert.rejects(storage.users.totpSecret(nobody), gone)
    await assert.rejects(storage.users.disable(nobody, OPERATOR), gone)
  })

  it('seals TOTP secrets: the row shows nothing of them', async () => {
    const user = await newUser()
    await storage.users.setTotp(user.id, 'JBSWY3DPEHPK3PXP', 100, OPERATOR)
    assert.equal(await storage.users.totpSecret(user.id), 'JBSWY3DPEHPK3PXP')
    const row = await house.database.kysely
      .selectFrom('user_account')
      .select('totp_secret')
      .where('id', '=', user.id)
      .executeTakeFirst()
    assert.ok(row?.totp_secret && !row.totp_secret.includes('JBSWY3DP'))
    await storage.users.removeTotp(user.id, OPERATOR)
    assert.equal(await storage.users.totpSecret(user.id), null)
  })

  it('does not open the TOTP secret of one user for another', async () => {
    const [one, two] = [await newUser(), await newUser()]
    await storage.users.setTotp(one.id, 'JBSWY3DPEHPK3PXP', 1, OPERATOR)
    const secret = house.database.kysely.selectFrom('user_account').select('totp_secret').where('id', '=', one.id)
    await house.database.kysely
      .updateTable('user_account')
      .set({ totp_secret: secret })
      .where('id', '=', two.id)
      .execute()
    await assert.rejects(storage.users.totpSecret(two.id), codeIs('storage/key-damaged'))
  })

  it('accepts a time step once, and none before it', async () => {
    const user = await newUser()
    await storage.users.setTotp(user.id, 'JBSWY3DPEHPK3PXP', 100, OPERATOR)
    const answers = await Promise.all(Array.from({ length: 8 }, () => storage.users.acceptTotpStep(user.id, 101)))
    assert.equal(answers.filter(Boolean).length, 1)
    assert.equal(await storage.users.acceptTotpStep(user.id, 100), false)
    assert.equal(await storage.users.acceptTotpStep(user.id, 102), true)
  })

  it('counts parallel guesses one by one, waits, forgives a success, and locks for good', async function () {
    this.timeout(20_000)
    const user = await newUser()
    const attempt = () => storage.users.countAttempt(user.id, 'password', house.clock(), LOCKOUT)
    const answers = await Promise.all(Array.from({ length: 12 }, attempt))
    assert.equal(answers.filter((answer) => answer.allowed).length, LOCKOUT.freeTries)
    const refused = await attempt()
    assert.deepEqual(refused, { allowed: false, retryAt: new Date(house.clock().getTime() + LOCKOUT.firstDelayMs) })
    house.clock.turn(LOCKOUT.firstDelayMs)
    assert.equal((await attempt()).allowed, true)
    await storage.users.clearAttempts(user.id, 'password')
    assert.equal((await attempt()).allowed, true)
    let tries = LOCKOUT.freeTries + 2
    for (; tries < LOCKOUT.lockAfter; tries++) {
      house.clock.turn(LOCKOUT.maxDelayMs / 2)
      await storage.users.clearAttempts(user.id, 'password')
      assert.equal((await attempt()).allowed, true)
    }
    assert.equal((await lastEntry())?.action, 'user.locked')
    house.clock.turn(LOCKOUT.maxDelayMs)
    assert.deepEqual(await attempt(), { allowed: false, retryAt: null })
    await storage.users.unlock(user.id, OPERATOR)
    assert.equal((await attempt()).allowed, true)
  })

  it('opens an invitation by its token until it is used', async () => {
    const user = await newUser()
    const order = { userId: user.id, purpose: 'join', withCode: false, expiresAt: inAnHour() } as const
    const { id, token, code } = await storage.invitations.create(order, OPERATOR)
    assert.equal(code, null)
    assert.match(token, /^[A-Za-z0-9_-]{43}$/)
    const open = await storage.invitations.open(token, house.clock())
    assert.deepEqual([open?.id, open?.userId, open?.needsCode], [id, user.id, false])
    assert.equal(await storage.invitations.open(`${token}x`, house.clock()), null)
    assert.equal(await storage.invitations.open(token, inAnHour()), null)
    const uses = await Promise.allSettled([1, 2, 3].map(() => storage.invitations.consume(id, OPERATOR)))
    assert.equal(uses.filter((use) => use.status === 'fulfilled').length, 1)
    assert.equal(await storage.invitations.open(token, house.clock()), null)
  })

  it('asks for the code, forgives four slips, and is dead after five', async () => {
    const user = await newUser()
    const order = { userId: user.id, purpose: 'join', withCode: true, expiresAt: inAnHour() } as const
    const first = await storage.invitations.create(order, OPERATOR)
    const second = await storage.invitations.create(order, OPERATOR)
    assert.match(first.code ?? '', /^\d{8}$/)
    const wrong = first.code === '00000000' ? '00000001' : '00000000'
    const answer = (token: string, code: string) => storage.invitations.tryCode(token, code, house.clock())
    for (let slip = 0; slip < 4; slip++) assert.equal(await answer(first.token, wrong), 'wrong')
    assert.equal(await answer(first.token, first.code ?? ''), 'accepted')
    assert.equal((await storage.invitations.open(first.token, house.clock()))?.codeAccepted, true)
    const slips = await Promise.all(Array.from({ length: 8 }, () => answer(second.token, 'abc')))
    assert.equal(slips.filter((slip) => slip === 'wrong').length, 4)
    assert.equal(await answer(second.token, second.code ?? ''), 'dead')
    assert.equal(await storage.invitations.open(second.token, house.clock()), null)
  })

  it('takes back what is open, and refuses an invitation for nobody', async () => {
    const user = await newUser()
    const order = { userId: user.id, purpose: 'join', withCode: true, expiresAt: inAnHour() } as const
    const { token } = await storage.invitations.create(order, OPERATOR)
    await storage.invitations.create(order, OPERATOR)
    assert.equal(await storage.invitations.revokeAll({ userId: user.id }, OPERATOR), 2)
    assert.equal(await storage.invitations.open(token, house.clock()), null)
    const nobody = storage.invitations.create({ ...order, userId: null }, OPERATOR)
    await assert.rejects(nobody, codeIs('storage/bad-value'))
    const admin = { userId: null, purpose: 'first-admin', withCode: false, expiresAt: inAnHour() } as const
    await storage.invitations.create(admin, OPERATOR)
    assert.equal(await storage.invitations.revokeAll({ purpose: 'first-admin' }, OPERATOR), 1)
  })

  it('keeps of tokens and codes only what cannot be turned back', async () => {
    const user = await newUser()
    const order = { userId: user.id, purpose: 'join', withCode: true, expiresAt: inAnHour() } as const
    const made = await storage.invitations.create(order, OPERATOR)
    const session = await storage.sessions.create(
      { userId: user.id, kind: 'browser', factors: {}, expiresAt: inAnHour() },
      OPERATOR,
    )
    const { kysely } = house.database
    const rows = JSON.stringify([
      await kysely.selectFrom('invitation').selectAll().execute(),
      await kysely.selectFrom('session').selectAll().execute(),
      await storage.audit.list({ limit: 1_000 }),
    ])
    for (const secret of [made.token, made.code ?? '', session.token]) assert.ok(!rows.includes(secret))
  })

  it('remembers factors and their time, and changes the token with a step up', async () => {
    const user = await newUser()
    const password = house.clock()
    const factors = { password }
    const made = await storage.sessions.create(
      { userId: user.id, kind: 'browser', factors, expiresAt: inAnHour() },
      OPERATOR,
    )
    house.clock.turn(1_000)
    const totp = house.clock()
    const { token } = await storage.sessions.stepUp(made.id, 'totp', totp, 'rotate')
    assert.equal(await storage.sessions.byToken(made.token, house.clock()), null)
    const session = await storage.sessions.byToken(token ?? '', house.clock())
    assert.deepEqual(session?.factors, { password, totp })
    assert.deepEqual(await storage.sessions.stepUp(made.id, 'totp', totp, 'keep'), { token: null })
    assert.ok(session.csrf.length >= 20)
  })

  it('notes use at most once a minute and ends with its time', async () => {
    const user = await newUser()
    const expiresAt = inAnHour()
    const made = await storage.sessions.create({ userId: user.id, kind: 'browser', factors: {}, expiresAt }, OPERATOR)
    const begun = house.clock()
    house.clock.turn(59_999)
    await storage.sessions.touch(made.id, house.clock())
    assert.deepEqual((await storage.sessions.list(user.id))[0]?.lastSeenAt, begun)
    house.clock.turn(1)
    await storage.sessions.touch(made.id, house.clock())
    assert.deepEqual((await storage.sessions.list(user.id))[0]?.lastSeenAt, house.clock())
    assert.notEqual(await storage.sessions.byToken(made.token, new Date(expiresAt.getTime() - 1)), null)
    assert.equal(await storage.sessions.byToken(made.token, expiresAt), null)
    assert.ok((await storage.sessions.sweep(expiresAt)) >= 1)
    assert.deepEqual(await storage.sessions.list(user.id), [])
  })

  it('ends one session, or all of a user', async () => {
    const user = await newUser()
    const order = { userId: user.id, kind: 'browser', factors: {}, expiresAt: inAnHour() } as const
    const [one, two, three] = [
      await storage.sessions.create(order, OPERATOR),
      await storage.sessions.create(order, OPERATOR),
      await storage.sessions.create(order, OPERATOR),
    ]
    await storage.sessions.end(one.id, OPERATOR)
    await storage.sessions.end(one.id, OPERATOR)
    assert.equal(await storage.sessions.byToken(one.token, house.clock()), null)
    assert.notEqual(await storage.sessions.byToken(two.token, house.clock()), null)
    assert.equal(await storage.sessions.endAll(user.id, OPERATOR), 2)
    assert.equal(await storage.sessions.byToken(three.token, house.clock()), null)
  })

  it('writes every act into the audit log, and no person', async () => {
    const user = await storage.users.create(
      { email: 'geheim@stadt.example', name: 'Geheim', audience: 'external' },
      OPERATOR,
    )
    await storage.users.change(user.id, { name: 'Geheimer', email: 'geheimer@stadt.example' }, OPERATOR)
    const { items } = await storage.audit.list({ subject: user.id })
    assert.deepEqual(
      items.map((entry) => [entry.action, entry.actor.name]),
      [
        ['user.created', 'anna'],
        ['user.changed', 'anna'],
      ],
    )
    assert.doesNotMatch(JSON.stringify(items), /geheim/i)
    assert.equal((await storage.audit.verify()).kind, 'whole')
  })
}
