/** The dialog rules of OSCI 1.2, both ends against each other and against what does not fit. */
import assert from 'node:assert/strict'
import { NEW_DIALOG, admitRequest, judgeAnswer, requestControl } from '../osci/dialog.ts'
import type { ClientDialog, SupplierDialog } from '../osci/dialog.ts'
import type { ControlBlock, RequestType } from '../osci/messages.ts'

const NOW = new Date('2026-11-23T12:00:00Z')
const FACTS = { signer: 'abc', now: NOW }
const open: SupplierDialog = {
  conversationId: '1001',
  lastSequence: 1,
  expectedResponse: 's2',
  signer: 'abc',
  expiresAt: new Date('2026-11-23T12:10:00Z'),
}
const control = (change: Partial<ControlBlock> = {}): ControlBlock => ({
  response: 's2',
  challenge: 'c3',
  conversationId: '1001',
  sequenceNumber: 2,
  ...change,
})

describe('a client in its dialog', () => {
  it('counts and answers as the specification shows', () => {
    let dialog: ClientDialog = NEW_DIALOG
    const seen: unknown[] = []
    for (const [n, challenge] of ['c1', 'c2', 'c3'].entries()) {
      const sent = requestControl(dialog, challenge)
      seen.push([sent.conversationId, sent.sequenceNumber, sent.response])
      const got = {
        response: challenge,
        challenge: `s${n + 1}`,
        conversationId: '7',
        sequenceNumber: sent.sequenceNumber,
      }
      const verdict = judgeAnswer(dialog, sent, got, 'more-follows')
      assert.ok(verdict.kind === 'fits')
      dialog = verdict.dialog
    }
    assert.deepEqual(seen, [
      [null, null, null],
      ['7', 0, 's1'],
      ['7', 1, 's2'],
    ])
  })

  const dialog: ClientDialog = { conversationId: '7', nextSequence: 3, owed: 's' }
  const sent = requestControl(dialog, 'c')
  const good: ControlBlock = { response: 'c', challenge: 's4', conversationId: '7', sequenceNumber: 3 }
  const wrong: [string, Partial<ControlBlock>][] = [
    ['another response', { response: 'x' }],
    ['no response', { response: null }],
    ['another conversation', { conversationId: '8' }],
    ['no conversation', { conversationId: null }],
    ['another number', { sequenceNumber: 4 }],
    ['no challenge', { challenge: null }],
  ]
  for (const [what, change] of wrong) {
    it(`does not take an answer with ${what}`, () => {
      assert.equal(judgeAnswer(dialog, sent, { ...good, ...change }, 'more-follows').kind, 'misfit')
    })
  }
  it('takes the answer to ExitDialog without challenge, and one without number', () => {
    assert.equal(judgeAnswer(dialog, sent, { ...good, challenge: null }, 'ends').kind, 'fits')
    assert.equal(judgeAnswer(dialog, sent, { ...good, sequenceNumber: null }, 'more-follows').kind, 'fits')
  })
})

describe('a supplier asked to let a request in', () => {
  const admit = (type: RequestType, change: Partial<ControlBlock>, dialog: SupplierDialog | null = open): string => {
    const admission = admitRequest(type, control(change), dialog, FACTS)
    return admission.kind === 'refused' ? admission.code : admission.kind
  }
  it('lets the expected next request in', () => {
    assert.equal(admit('FetchDelivery', {}), 'continues')
  })
  it('opens a dialog for InitDialog only without ConversationId', () => {
    assert.equal(admit('InitDialog', { conversationId: null, sequenceNumber: null, response: null }, null), 'opens')
    assert.equal(admit('InitDialog', {}), '9400')
  })
  it('lets GetMessageId and StoreDelivery come without dialog, a stale Response included', () => {
    assert.equal(admit('GetMessageId', { conversationId: null, sequenceNumber: 0 }, null), 'implicit')
    assert.equal(admit('StoreDelivery', { conversationId: null, sequenceNumber: null }, null), 'implicit')
    assert.equal(admit('StoreDelivery', { conversationId: null, sequenceNumber: 1 }, null), '9400')
  })
  it('wants a dialog for everything else', () => {
    assert.equal(admit('FetchDelivery', { conversationId: null }, null), '9802')
    assert.equal(admit('FetchProcessCard', { conversationId: null }, null), '9802')
  })
  it('refuses an unknown or expired dialog', () => {
    assert.equal(admit('FetchDelivery', {}, null), '9400')
    assert.equal(admit('FetchDelivery', {}, { ...open, expiresAt: NOW }), '9400')
  })
  it('refuses a wrong response, a repeated or skipped number, no challenge', () => {
    assert.equal(admit('FetchDelivery', { response: 's1' }), '9400')
    assert.equal(admit('FetchDelivery', { response: null }), '9400')
    assert.equal(admit('FetchDelivery', { sequenceNumber: 1 }), '9400')
    assert.equal(admit('FetchDelivery', { sequenceNumber: 3 }), '9400')
    assert.equal(admit('FetchDelivery', { challenge: null }), '9400')
  })
  it('refuses another signer than that of InitDialog, and none where there was one', () => {
    const other = admitRequest('ExitDialog', control(), open, { signer: 'xyz', now: NOW })
    const none = admitRequest('ExitDialog', control(), open, { signer: null, now: NOW })
    assert.deepEqual([other.kind, none.kind], ['refused', 'refused'])
  })
})
