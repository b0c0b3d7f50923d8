import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode, integer, octetString, oid, sequence, utf8String } from '../asn1/der.ts'
import { parseCertificate } from '../trust/certificate.ts'
import type { Certificate } from '../trust/certificate.ts'
import { certificateClaims, claimedType, readQcStatements } from '../trust/qc-statements.ts'
import { certificateRestrictions } from '../trust/restrictions.ts'
import { sharedData } from './shared-data.ts'
import { extension, issue, nameOf } from './trust-pki.ts'

const printable = (text: string): Buffer => encode(0x13, Buffer.from(text))
const statement = (id: string, ...info: Buffer[]): Buffer => sequence(oid(id), ...info)
const typed = (...arcs: number[]): Buffer =>
  statement('0.4.0.1862.1.6', sequence(...arcs.map((arc) => oid(`0.4.0.1862.1.6.${arc}`))))
const COMPLIANCE = statement('0.4.0.1862.1.1')

function withExtensions(...extensions: Buffer[]): Certificate {
  return issue({ name: 'Holder', extensions }).certificate
}
const withStatements = (...statements: Buffer[]): Certificate =>
  withExtensions(extension('1.3.6.1.5.5.7.1.3', sequence(...statements)))

describe('QcStatements', () => {
  it('are the claims of a certificate', () => {
    const legislation = statement('0.4.0.1862.1.7', sequence(printable('CH'), printable('GB')))
    const certificate = withStatements(COMPLIANCE, statement('0.4.0.1862.1.4'), typed(2), legislation)
    assert.deepEqual(certificateClaims(certificate), {
      qualified: true,
      device: true,
      type: 'eseal',
      countries: ['CH', 'GB'],
    })
    assert.deepEqual(certificateClaims(withExtensions()), {
      qualified: false,
      device: false,
      type: null,
      countries: [],
    })
  })

  it('mean a signature where only QcCompliance is stated, and nothing clear with several or foreign types', () => {
    assert.equal(claimedType(withStatements(COMPLIANCE)), 'esign')
    assert.equal(claimedType(withStatements(COMPLIANCE, typed(1, 2))), null)
    assert.equal(claimedType(withStatements(COMPLIANCE, typed(7))), null)
    assert.equal(claimedType(withStatements(COMPLIANCE, typed())), null)
    assert.equal(claimedType(withStatements(typed(3))), 'web')
  })

  it('pass over statements that they do not know', () => {
    const unknown = [statement('0.4.0.1862.1.8', oid('1.2.3')), statement('0.4.0.19495.2', sequence())]
    assert.deepEqual(readQcStatements(withStatements(...unknown, COMPLIANCE)).compliance, true)
  })

  it('claim nothing when they cannot be read', () => {
    const broken = [
      extension('1.3.6.1.5.5.7.1.3', Buffer.from('30ff', 'hex')),
      extension('1.3.6.1.5.5.7.1.3', sequence(COMPLIANCE, integer(1))),
      extension('1.3.6.1.5.5.7.1.3', sequence(COMPLIANCE, statement('0.4.0.1862.1.2', sequence(printable('EUR'))))),
    ]
    for (const one of broken) assert.equal(readQcStatements(withExtensions(one)).compliance, false)
  })

  it('of another law without a country are still of another law', () => {
    assert.deepEqual(readQcStatements(withStatements(COMPLIANCE, statement('0.4.0.1862.1.7'))).countries, ['??'])
  })
})

describe('restrictions in certificates', () => {
  const amount = (value: number, exponent: number): Buffer =>
    sequence(printable('EUR'), integer(value), integer(exponent))

  it('are amounts, texts, professions and procurations', () => {
    const profession = sequence(
      encode(0xa0, sequence(utf8String('Chamber'))),
      sequence(utf8String('Rechtsanwältin'), utf8String('Notarin')),
      sequence(oid('1.3.36.8.3.11.1.2')),
      printable('4711'),
    )
    const certificate = withExtensions(
      extension('1.3.6.1.5.5.7.1.3', sequence(statement('0.4.0.1862.1.2', amount(25, 3)))),
      extension('1.3.36.8.3.4', amount(500, 0)),
      extension('1.3.36.8.3.8', utf8String('nur für das Bauamt')),
      extension('1.3.36.8.3.2', sequence(encode(0xa3, encode(0xa4, nameOf('Stadt Musterstadt'))))),
      extension('1.3.36.8.3.3', sequence(sequence(sequence(sequence(profession))))),
      extension('1.3.36.8.3.15', printable('Amt 30')),
    )
    assert.deepEqual(certificateRestrictions(certificate), [
      'monetary limit: 25000 EUR',
      'monetary limit: 500 EUR',
      'restriction: nur für das Bauamt',
      'acts for: Stadt Musterstadt',
      'profession: Rechtsanwältin, Notarin (4711)',
      'additional information: Amt 30',
    ])
  })

  it('are named even when they cannot be read', () => {
    const ids = ['1.3.36.8.3.4', '1.3.36.8.3.8', '1.3.36.8.3.2', '1.3.36.8.3.3', '1.3.36.8.3.15']
    const certificate = withExtensions(...ids.map((id) => extension(id, octetString(Buffer.from('?')))))
    assert.deepEqual(
      certificateRestrictions(certificate).map((text) => text.replace(/^.*: /, '')),
      ids.map(() => 'cannot be read'),
    )
    assert.deepEqual(certificateRestrictions(withExtensions()), [])
  })
})

describe('claims of the common test certificates', () => {
  const folder = join(sharedData, 'pki', 'certs', 'qca')
  if (!existsSync(folder)) {
    console.log('    common test data are not beside the repository: their claims not read')
    return
  }
  const claimsOf = (name: string) => {
    const pem = readFileSync(join(folder, `${name}.cert.pem`), 'latin1').replace(/-----[^-]+-----/g, '')
    return certificateClaims(parseCertificate(Buffer.from(pem, 'base64')))
  }
  it('are read', () => {
    assert.deepEqual(claimsOf('seal'), { qualified: true, device: true, type: 'eseal', countries: [] })
    assert.deepEqual(claimsOf('sign'), { qualified: true, device: true, type: 'esign', countries: [] })
    assert.equal(claimsOf('seal-noqscd').device, false)
    assert.deepEqual(claimsOf('seal-cc').countries, ['CH'])
  })
})
