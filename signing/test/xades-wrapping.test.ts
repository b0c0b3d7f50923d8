/** Signature wrapping: signed things moved, doubled, hidden and renamed, so that what is seen is not what was signed. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { softwareSigningKey } from '../keys/software-key.ts'
import { bufferAccess } from '../random-access.ts'
import type { SignatureFacts } from '../validation/facts.ts'
import { readXadesFacts } from '../xades/document.ts'
import { signXadesDetached, signXadesEnveloped, signXadesEnveloping } from '../xades/sign.ts'
import { EXTENSIONS, issue } from './support/test-certificates.ts'
import { NOW, ecSigningKey } from './trial-key.ts'

const key = ecSigningKey('P-256')
const FILE = Buffer.from('Anlage')
const detached = (uri: string) => (uri === 'a.txt' ? bufferAccess(FILE) : null)
const signedAt = NOW

async function judge(text: string): Promise<SignatureFacts[]> {
  return [...(await readXadesFacts(Buffer.from(text), detached)).signatures]
}
const codesOf = async (text: string): Promise<string> =>
  (await judge(text)).map(({ faults }) => [...new Set(faults.map(({ code }) => code))].join(' ') || 'holds').join(', ')

const SIGNATURE = /<ds:Signature .*<\/ds:Signature>/s
const PROPERTIES = /<xades:SignedProperties .*<\/xades:SignedProperties>/s
const QUALIFYING = /<xades:QualifyingProperties .*<\/xades:QualifyingProperties>/s
const part = (text: string, pattern: RegExp): string => pattern.exec(text)?.[0] ?? assert.fail('no such part')
/** without the special meaning of `$` in a replacement */
const replaced = (text: string, pattern: RegExp | string, by: string): string => text.replace(pattern, () => by)

describe('signature wrapping', () => {
  let enveloped: string
  let enveloping: string
  let beside: string
  let other: string
  before(async () => {
    const request = { signedAt }
    enveloped = (await signXadesEnveloped(Buffer.from('<order><sum>10</sum></order>'), key, request)).toString()
    enveloping = (await signXadesEnveloping(FILE, 'text/plain', key, request)).toString()
    const digestOf = (digest: string) => Promise.resolve(createHash(digest).update(FILE).digest())
    beside = (await signXadesDetached([{ uri: 'a.txt', digestOf, mimeType: 'text/plain' }], key, request)).toString()
    const later = { signedAt: new Date(NOW.getTime() + 1000) }
    other = (await signXadesEnveloping(FILE, 'text/plain', key, later)).toString()
  })

  it('the signatures hold as they were made', async () => {
    for (const text of [enveloped, enveloping, beside, other]) assert.equal(await codesOf(text), 'holds')
  })

  const ids = (text: string): string => /Id="(sig-[0-9a-f]+)"/.exec(text)?.[1] ?? ''
  const cases: [string, () => string, string][] = [
    ['the signed document inside another one', () => `<evil><sum>99</sum>${enveloped}</evil>`, 'digest'],
    [
      'the signed content in an object, other content in its place',
      () =>
        replaced(
          replaced(enveloped, '</ds:Signature>', '<ds:Object><sum>10</sum></ds:Object></ds:Signature>'),
          '<sum>10',
          '<sum>99',
        ),
      'digest',
    ],
    ['signed content twice', () => replaced(enveloped, '<sum>10</sum>', '<sum>10</sum><sum>99</sum>'), 'digest'],
    [
      'a foreign element with the id of the properties',
      () =>
        replaced(
          enveloping,
          '</ds:Signature>',
          `<ds:Object><x id="${ids(enveloping)}-props"/></ds:Object></ds:Signature>`,
        ),
      'format constraints',
    ],
    [
      'the properties twice with one id, forged ones first',
      () => {
        const properties = part(enveloping, PROPERTIES)
        const forged = replaced(properties, /SigningTime>[^<]*/, 'SigningTime>2020-01-01T00:00:00Z')
        const moved = `<ds:Object xmlns:xades="http://uri.etsi.org/01903/v1.3.2#">${properties}</ds:Object>`
        return replaced(replaced(enveloping, PROPERTIES, forged), '</ds:Signature>', `${moved}</ds:Signature>`)
      },
      'format constraints',
    ],
    [
      'forged properties of another id in the place of the signed ones',
      () => {
        const properties = part(enveloping, PROPERTIES)
        const forged = replaced(properties, `${ids(enveloping)}-props`, 'forged')
        const moved = `<ds:Object xmlns:xades="http://uri.etsi.org/01903/v1.3.2#">${properties}</ds:Object>`
        return replaced(replaced(enveloping, PROPERTIES, forged), '</ds:Signature>', `${moved}</ds:Signature>`)
      },
      'data-missing constraints',
    ],
    [
      'the properties of another signature',
      () => replaced(enveloping, QUALIFYING, part(other, QUALIFYING)),
      'data-missing constraints',
    ],
    [
      'the properties of another signature of the document',
      () =>
        `<list>${[replaced(enveloping, QUALIFYING, part(other, QUALIFYING)), other].map((text) => part(text, SIGNATURE)).join('')}</list>`,
      'format, format constraints',
    ],
    [
      'the signed object inside another one',
      () => {
        const object = part(enveloping, /<ds:Object Id="sig-.*<\/ds:Object>/s)
        return replaced(enveloping, object, `<ds:Object>${object}</ds:Object>`)
      },
      'data-missing',
    ],
    [
      'nothing is signed but the properties',
      () => replaced(enveloping, /<ds:Reference Id.*?<\/ds:Reference>/s, ''),
      'value data-missing',
    ],
    ['a value that is no base64', () => replaced(enveloping, /(?<=SignatureValue Id="[^"]*">)[^<]*/, '?'), 'value'],
    [
      'the properties of another signature under the own name',
      () => replaced(enveloping, QUALIFYING, part(other, QUALIFYING).replaceAll(ids(other), ids(enveloping))),
      'digest',
    ],
    [
      'properties twice',
      () => replaced(enveloping, QUALIFYING, part(enveloping, QUALIFYING) + part(other, QUALIFYING)),
      'format',
    ],
    [
      'the signed object twice',
      () =>
        replaced(
          enveloping,
          /<ds:Object Id="sig-.*<\/ds:Object>/s,
          part(enveloping, /<ds:Object Id="sig-.*<\/ds:Object>/s).repeat(2),
        ),
      'format',
    ],
    [
      'a reference to an address',
      () => replaced(beside, 'URI="a.txt"', 'URI="http://localhost/a.txt"'),
      'value constraints',
    ],
    [
      'a reference to a file of the system',
      () => replaced(beside, 'URI="a.txt"', 'URI="file:///etc/passwd"'),
      'value constraints',
    ],
    ['a reference out of the folder', () => replaced(beside, 'URI="a.txt"', 'URI="../a.txt"'), 'value data-missing'],
    [
      'a stylesheet as transform',
      () =>
        replaced(
          enveloped,
          'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
          'http://www.w3.org/TR/1999/REC-xslt-19991116',
        ),
      'value constraints',
    ],
    ['a document type', () => `<!DOCTYPE order [<!ENTITY x "y">]>${enveloped}`, 'format'],
    ['the signature alone', () => part(enveloped, SIGNATURE), 'digest'],
    [
      'two values',
      () =>
        replaced(
          enveloped,
          /<ds:SignatureValue.*<\/ds:SignatureValue>/s,
          part(enveloped, /<ds:SignatureValue.*<\/ds:SignatureValue>/s).repeat(2),
        ),
      'format',
    ],
    ['no certificate', () => replaced(enveloped, /<ds:KeyInfo>.*<\/ds:KeyInfo>/s, ''), 'certificate-missing'],
  ]
  for (const [what, make, expected] of cases) {
    it(`does not hold: ${what}`, async () => {
      assert.equal(await codesOf(make()), expected)
    })
  }

  it('names the certificate: another one with the same key does not take its place', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const validity = { from: new Date('2026-01-01'), until: new Date('2028-01-01'), extensions: EXTENSIONS.signer() }
    const make = (commonName: string): Buffer =>
      issue({ commonName, key: privateKey, issuer: null, ...validity }).certificate
    const [own, twin] = [make('Amt A'), make('Amt B')]
    const signed = await signXadesEnveloped(Buffer.from('<a/>'), softwareSigningKey(privateKey, [own]), { signedAt })
    const swapped = replaced(signed.toString(), own.toString('base64'), twin.toString('base64'))
    assert.equal(await codesOf(swapped), 'certificate-reference')
    const both = `<ds:X509Certificate>${twin.toString('base64')}</ds:X509Certificate><ds:X509Certificate>${own.toString('base64')}</ds:X509Certificate>`
    const [facts] = await judge(replaced(signed.toString(), /<ds:X509Certificate>.*<\/ds:X509Certificate>/s, both))
    assert.deepEqual(facts?.faults, [])
    assert.deepEqual(facts.certificate?.der, own)
  })

  it('is no baseline signature when its properties name nothing as their target', async () => {
    const [facts] = await judge(replaced(enveloped, /Target="#[^"]*"/, 'Target="#other"'))
    assert.deepEqual(facts?.faults, [])
    assert.deepEqual(facts.profileFaults, ['the properties are for something else'])
  })

  it('does not mind that signatures of one document number their references alike', async () => {
    const numbered = [enveloping, other].map((text) =>
      replaced(part(text, SIGNATURE), /<ds:Reference Id="[^"]*"/, '<ds:Reference Id="r-1"'),
    )
    assert.equal(await codesOf(`<list>${numbered.join('')}</list>`), 'value, value')
    assert.equal(await codesOf(`<list>${numbered.join('')}<x Id="r-1"/></list>`), 'format value, format value')
  })

  it('holds in a document of an encoding of one octet', async () => {
    const text = Buffer.concat([
      Buffer.from('<?xml version="1.0" encoding="ISO-8859-2"?><a>'),
      Buffer.of(0xf5),
      Buffer.from('</a>'),
    ])
    const signed = await signXadesEnveloped(text, key, { signedAt })
    const { signatures } = await readXadesFacts(signed, detached)
    assert.deepEqual(
      signatures.map(({ faults }) => faults),
      [[]],
    )
    const same = Buffer.from(signed.toString('latin1').replace('ISO-8859-2', 'UTF-8').replace('\xf5', '\u0151'))
    const [again] = (await readXadesFacts(same, detached)).signatures
    assert.deepEqual(again?.faults, [])
  })

  it('holds with a comment inside a text, which stays one text', async () => {
    assert.equal(await codesOf(replaced(enveloped, '<sum>10', '<sum>1<!-- x -->0')), 'holds')
  })

  it('says so when an object of the signature is not signed', async () => {
    const [facts] = await judge(replaced(enveloping, '</ds:Signature>', '<ds:Object>mehr</ds:Object></ds:Signature>'))
    assert.deepEqual(facts?.faults, [])
    assert.equal(facts.scope.kind, 'part')
    assert.deepEqual(
      facts.findings.map(({ code }) => code),
      ['unknown-elements'],
    )
  })

  it('sees every signature of a document, whatever it is hidden in', async () => {
    const hidden = `<list><a>${part(enveloping, SIGNATURE)}</a><b><c>${part(other, SIGNATURE)}</c></b><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/></list>`
    const found = await judge(hidden)
    assert.deepEqual(
      found.map(({ id, scope }) => `${id} ${scope.kind}`),
      ['S1 part', 'S2 part', 'S3 nothing'],
    )
    assert.equal(
      found[0]?.findings.some(({ code, severity }) => code === 'element-only' && severity === 'unclean'),
      true,
    )
  })
})
