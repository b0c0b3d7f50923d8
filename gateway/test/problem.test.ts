import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { GatewayError } from '../errors.ts'
import { PROBLEMS, problemDocument, problemOf } from '../http/problem.ts'
import { StorageError } from '../../storage/index.ts'

describe('problemOf', () => {
  it('hides what it does not know', () => {
    for (const error of [
      new Error('password is hunter2'),
      new TypeError('x'),
      'text',
      null,
      undefined,
      { code: 'storage/not-found' },
    ]) {
      const problem = problemOf(error)
      assert.equal(problem.code, 'gateway/internal')
      assert.equal(problem.status, 500)
      assert.doesNotMatch(JSON.stringify(problemDocument(problem, 'id', 'en')), /hunter2/)
    }
  })

  it('never passes a message on', () => {
    const problem = problemOf(new StorageError('storage/already-exists', 'user anna@example.org exists'))
    assert.deepEqual(problemDocument(problem, 'b1', 'en'), {
      type: 'urn:amtsbote:problem:storage/already-exists',
      title: 'This exists already',
      status: 409,
      instance: 'urn:uuid:b1',
    })
  })

  it('lets facts through, but not over its own members', () => {
    const error = new GatewayError('gateway/denied', {
      facts: { reason: 'role-too-low', status: 200, type: 'about:blank' },
    })
    const document = problemDocument(problemOf(error), 'b1', 'de')
    assert.equal(document['reason'], 'role-too-low')
    assert.equal(document['status'], 403)
    assert.equal(document['type'], 'urn:amtsbote:problem:gateway/denied')
  })

  it('says when to come back where that helps', () => {
    assert.equal(
      problemOf(new GatewayError('gateway/too-many-requests', { retryAfterSeconds: 7 })).retryAfterSeconds,
      7,
    )
    assert.equal(problemOf(new StorageError('storage/database-unavailable', 'gone')).retryAfterSeconds, 5)
    assert.equal(problemOf(new GatewayError('gateway/bad-input')).retryAfterSeconds, null)
  })
})

describe('the problem map', () => {
  it('has a row for every code that the modules declare, with a title in both languages', () => {
    for (const file of ['gateway', 'storage', 'signing', 'mailbox', 'policies']) {
      const source = readFileSync(new URL(`../../${file}/errors.ts`, import.meta.url), 'utf8')
      const codes = new Set(source.match(new RegExp(`'${file}/[a-z0-9-]+'`, 'g')))
      assert.ok(codes.size > 0, file)
      for (const quoted of codes) {
        const row = PROBLEMS[quoted.slice(1, -1) as keyof typeof PROBLEMS] as readonly unknown[] | undefined
        assert.ok(row, quoted)
        assert.ok(Number(row[0]) >= 400 && Number(row[0]) < 600, quoted)
        assert.notEqual(row[1], row[2], quoted)
      }
    }
  })
})
