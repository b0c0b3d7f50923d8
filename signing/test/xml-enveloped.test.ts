/** Documents signed as a whole: trusted lists of others hold, and no wrapped or changed one does. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyEnveloped } from '../xml/enveloped.ts'
import { sharedData } from './shared-data.ts'

const list = (name: string): Buffer => readFileSync(join(sharedData, 'tl', name))
const reasonOf = (bytes: Buffer): string => {
  const verdict = verifyEnveloped(bytes)
  return verdict.kind === 'broken' ? verdict.reason : verdict.kind
}

describe('a document signed as a whole', () => {
  it('is unreadable when it is no XML or has a document type', () => {
    assert.equal(reasonOf(Buffer.from('%PDF')), 'unreadable')
    assert.equal(reasonOf(Buffer.from('<!DOCTYPE a><a/>')), 'unreadable')
    assert.equal(reasonOf(Buffer.from('<a/>')), 'unsigned')
  })

  if (!existsSync(sharedData)) {
    console.log('  lists of others: not run, the common test documents are not here')
    return
  }

  for (const name of [
    'lotl-test.xml',
    'real/eu-lotl.xml',
    'real/pyhanko-eu-lotl.xml',
    'real/at-currenttl.xml',
    'real/CZ.xml',
    'real/de-tl.xml',
    'real/fi-v6.xml',
  ]) {
    it(`holds: ${name}`, () => {
      const verdict = verifyEnveloped(list(name))
      assert.equal(verdict.kind, 'holds')
      assert.equal(verdict.signedOctets.includes('SignatureValue>'), false)
      assert.notEqual(verdict.signingTime, null)
    })
  }

  it('does not hold when it was changed, cut or never signed', () => {
    assert.equal(reasonOf(list('tl-broken-signature.xml')), 'digest')
    assert.equal(reasonOf(list('real/sk-tl-altered-trust-service.xml')), 'digest')
    assert.equal(reasonOf(list('real/eu-lotl-broken-sig.xml')), 'digest')
    assert.equal(reasonOf(list('real/eu-lotl-not-parseable.xml')), 'unreadable')
    assert.equal(reasonOf(list('real/CZ_no-sig.xml')), 'unsigned')
  })

  it('does not hold for a list that was moved into its own signature', () => {
    for (const name of ['dss-XSW-enveloped-fake-content.xml', 'dss-XSW-enveloped-fake-content-two-same-id.xml'])
      assert.equal(reasonOf(readFileSync(join(sharedData, 'files', name))), 'format')
  })

  const text = list('lotl-test.xml').toString('utf8')
  const variants: [string, string, string][] = [
    ['a second signature', text.replace(/<ds:Signature .*<\/ds:Signature>/s, '$&$&'), 'format'],
    ['a changed signature value', text.replace(/(<ds:SignatureValue[^>]*>)..../, '$1AAAA'), 'value'],
    ['a changed digest', text.replace(/(<ds:DigestValue>)..../, '$1AAAA'), 'digest'],
    ['a changed signing time', text.replace(/(SigningTime>)20../, '$12001'), 'digest'],
    ['a comment in the middle of a text', text.replace(/(TSLType>h)/, '$1<!-- x -->'), 'holds'],
    ['an element before the signature', text.replace('<ds:Signature ', '<evil/><ds:Signature '), 'digest'],
    ['a foreign transform', text.replace('xmldsig#enveloped-signature', 'xmldsig#other'), 'format'],
  ]
  for (const [what, changed, expected] of variants) {
    it(`${expected === 'holds' ? 'holds' : 'does not hold'} with ${what}`, () => {
      assert.ok(changed !== text)
      assert.equal(reasonOf(Buffer.from(changed)), expected)
    })
  }
})
