import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { encode, oid, sequence } from '../asn1/der.ts'
import type { Certificate } from '../trust/certificate.ts'
import type { AcceptedList } from '../trust/lists/check-list.ts'
import { parseTrustedList } from '../trust/lists/read-list.ts'
import { createTrustedLists } from '../trust/lists/trusted-lists.ts'
import type { QualificationReport } from '../validation/report.ts'
import { keyUsage, listXml, policySet, qualification } from './support/test-lists.ts'
import type { TestList, TestService } from './support/test-lists.ts'
import { extension, issue, keyUsage as usageExtension } from './trust-pki.ts'

const NOW = new Date('2026-03-01T00:00:00Z')
const LIMITS = { at: NOW, maxOverdueDays: 14 }

const accepted = (list: TestList): AcceptedList => acceptedBytes(Buffer.from(listXml(list)))
function acceptedBytes(bytes: Buffer): AcceptedList {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const signer = authority.certificate
  return { list: parseTrustedList(bytes), bytes, sha256, signer, location: 'https://list.example', retrievedAt: NOW }
}

interface Wish {
  statements?: Buffer[]
  policies?: string[]
  from?: string
  eku?: string[]
}

const authority = issue({ name: 'Qualified CA', ca: true, from: '2010-01-01' })
const statement = (id: string, ...info: Buffer[]): Buffer => sequence(oid(id), ...info)
const COMPLIANCE = statement('0.4.0.1862.1.1')
const DEVICE = statement('0.4.0.1862.1.4')
const typed = (...arcs: number[]): Buffer =>
  statement('0.4.0.1862.1.6', sequence(...arcs.map((arc) => oid(`0.4.0.1862.1.6.${arc}`))))
const [SIGN, SEAL, WEB] = [typed(1), typed(2), typed(3)]
const foreign = statement('0.4.0.1862.1.7', sequence(encode(0x13, Buffer.from('CH'))))
const USAGE = usageExtension(0xc0)

function signer({ statements = [], policies = [], from = '2020-01-01', eku = [] }: Wish): Certificate {
  const list = policies.map((policy) => sequence(oid(policy)))
  return issue({
    name: 'Signer',
    issuer: authority,
    from,
    extensions: [
      USAGE,
      ...(statements.length > 0 ? [extension('1.3.6.1.5.5.7.1.3', sequence(...statements))] : []),
      ...(policies.length > 0 ? [extension('2.5.29.32', sequence(...list))] : []),
      ...(eku.length > 0 ? [extension('2.5.29.37', sequence(...eku.map((id) => oid(id))))] : []),
    ],
  }).certificate
}

function ask(certificate: Certificate, services: Partial<TestService>[], bestTime = NOW, list: TestList = {}) {
  const made = services.map((service) => ({ certificates: [authority.certificate.der], ...service }))
  return answer(certificate, [accepted({ ...list, services: made })], bestTime)
}

function answer(certificate: Certificate, lists: AcceptedList[], bestTime = NOW): QualificationReport {
  const { qualifier } = createTrustedLists({ listOfLists: null, pivots: [], lists })
  const anchor = { certificate: authority.certificate, source: 'test' }
  const issuedAt = certificate.notBefore
  return qualifier(LIMITS).qualify({ certificate, path: [certificate], anchor, form: 'signature', issuedAt, bestTime })
}

describe('qualification after trusted lists', () => {
  const seal = signer({ statements: [COMPLIANCE, DEVICE, SEAL], policies: ['2.999.1'] })
  const softSeal = signer({ statements: [COMPLIANCE, SEAL], policies: ['2.999.2'] })
  const signature = signer({ statements: [COMPLIANCE, DEVICE, SIGN] })
  const withdrawn = (from: string): TestService => ({
    certificates: [authority.certificate.der],
    status: 'withdrawn',
    from,
    history: [{ status: 'granted' }],
  })

  it('names all four kinds of qualified signatures and their proof', () => {
    const kinds = [seal, softSeal, signature, signer({ statements: [COMPLIANCE, SIGN] })]
    assert.deepEqual(
      kinds.map((certificate) => ask(certificate, [{}]).kind),
      ['QESeal', 'AdESeal-QC', 'QESig', 'AdESig-QC'],
    )
    const { proof } = ask(seal, [{ name: 'CA 1', provider: 'Provider 1' }], NOW, { sequence: 7 })
    assert.deepEqual(
      { ...proof, listSha256: '' },
      { territory: 'DE', sequence: 7, listSha256: '', provider: 'Provider 1', service: 'CA 1', status: 'granted' },
    )
  })

  it('takes QcCompliance without a type for a signature, and an unknown type for nothing', () => {
    assert.equal(ask(signer({ statements: [COMPLIANCE, DEVICE] }), [{}]).kind, 'QESig')
    assert.equal(ask(signer({ statements: [COMPLIANCE, DEVICE, typed(9)] }), [{}]).kind, 'AdESig')
  })

  it('gives nothing qualified without QcCompliance, or after the law of another country', () => {
    assert.equal(ask(signer({}), [{}]).kind, 'AdESig')
    const swiss = ask(signer({ statements: [COMPLIANCE, DEVICE, SEAL, foreign] }), [{}])
    assert.equal(swiss.kind, 'AdESeal')
    assert.match(swiss.remarks.join(), /law of CH/)
  })

  it('counts the status at both times: issuance and signature', () => {
    assert.equal(ask(seal, [withdrawn('2026-02-01T00:00:00Z')]).kind, 'AdESeal')
    assert.equal(ask(seal, [withdrawn('2026-02-01T00:00:00Z')], new Date('2026-01-31T23:59:59Z')).kind, 'QESeal')
    const late = ask(seal, [{ from: '2021-01-01T00:00:00Z' }])
    assert.equal(late.kind, 'AdESeal')
    assert.match(late.remarks.join(), /not listed yet \(when the certificate was issued\)/)
  })

  it('demands that the service is listed for that type, and says so', () => {
    const report = ask(seal, [{ scopes: ['ForeSignatures'] }])
    assert.equal(report.kind, 'AdESeal')
    assert.match(report.remarks.join(), /conflict: the service is not listed for seals/)
    assert.equal(ask(seal, [{ scopes: [] }]).kind, 'AdESeal')
  })

  it('has no signature for web certificates', () => {
    const web = ask(signer({ statements: [COMPLIANCE, WEB] }), [{ scopes: ['ForWebSiteAuthentication'] }])
    assert.equal(web.kind, 'none')
  })

  it('uses only CA/QC, and only services that issued the certificate', () => {
    assert.equal(ask(seal, [{ type: 'CA/PKC' }]).kind, 'AdESeal')
    const other = issue({ name: 'Qualified CA', ca: true })
    assert.equal(ask(seal, [{ certificates: [other.certificate.der] }]).proof, null)
    const renamed = issue({ name: 'Other name', ca: true, keyOf: authority })
    assert.equal(ask(seal, [{ certificates: [renamed.certificate.der] }]).proof, null)
  })

  it('finds a service that is named by the identifier of its key', () => {
    const ski = authority.certificate.ski ?? Buffer.alloc(0)
    const digest = createHash('sha1').update(authority.certificate.spki.subarray(-65)).digest()
    assert.ok(ski.length === 0 || ski.equals(digest))
    const identities = `<DigitalId><X509SKI>${digest.toString('base64')}</X509SKI></DigitalId>`
    assert.equal(ask(seal, [{ certificates: [], identities }]).kind, 'QESeal')
  })

  it('lets the list overrule device, qualification and type', () => {
    const kindWith = (certificate: Certificate, qualifiers: string[]): string =>
      ask(certificate, [{ extensions: qualification(qualifiers, keyUsage({ digitalSignature: true })) }]).kind
    assert.equal(kindWith(seal, ['QCNoQSCD']), 'AdESeal-QC')
    assert.equal(kindWith(softSeal, ['QCWithQSCD']), 'QESeal')
    assert.equal(kindWith(softSeal, ['QCQSCDManagedOnBehalf', 'QCForESeal']), 'QESeal')
    assert.equal(kindWith(softSeal, ['QCQSCDStatusAsInCert']), 'AdESeal-QC')
    assert.equal(kindWith(seal, ['NotQualified']), 'AdESeal')
    assert.equal(kindWith(signature, ['QCForESeal']), 'QESeal')
    assert.equal(kindWith(signer({}), ['QCStatement', 'QCWithQSCD']), 'QESig')
  })

  it('decides nothing where the list contradicts itself or says what is not known', () => {
    const contradictions = [
      ['QCWithQSCD', 'QCNoQSCD'],
      ['NotQualified', 'QCStatement'],
      ['QCQSCDStatusAsInCert', 'QCWithQSCD'],
      ['QCForESig', 'QCForWSA'],
      ['QCForESig', 'QCForLegalPerson'],
      ['QCForTheMoon'],
    ]
    for (const qualifiers of contradictions) {
      const report = ask(seal, [{ extensions: qualification(qualifiers, keyUsage({ digitalSignature: true })) }])
      assert.equal(report.kind, 'undetermined', qualifiers.join())
      assert.match(report.remarks.join(), /conflict/)
    }
    const unknown = '<Extension Critical="true"><q:Something/></Extension>'
    assert.equal(ask(seal, [{ extensions: unknown }]).kind, 'undetermined')
    assert.equal(ask(seal, [{ extensions: unknown.replace('true', 'false') }]).kind, 'QESeal')
    assert.equal(ask(seal, [{ extensions: qualification(['NotQualified'], '<q:Mood/>') }]).kind, 'undetermined')
  })

  it('takes the type of the certificate where the list allows several', () => {
    const several = qualification(['QCForESig', 'QCForESeal'], keyUsage({ digitalSignature: true }))
    assert.equal(ask(seal, [{ extensions: several }]).kind, 'QESeal')
    assert.equal(ask(signature, [{ extensions: several }]).kind, 'QESig')
  })

  it('decides nothing where two services contradict each other', () => {
    assert.equal(ask(seal, [{}, {}]).kind, 'QESeal')
    assert.equal(ask(seal, [{}, withdrawn('2026-02-01T00:00:00Z')]).kind, 'undetermined')
  })

  it('evaluates nested criteria: all, at least one, none', () => {
    const isNotQualified = (criteria: string, list = 'atLeastOne'): boolean =>
      ask(seal, [{ extensions: qualification(['NotQualified'], criteria, list) }]).kind === 'AdESeal'
    const nested = (list: string, ...parts: string[]): string =>
      `<q:CriteriaList assert="${list}"><q:Description>why</q:Description>${parts.join('')}</q:CriteriaList>`
    const name = (id: string): string =>
      `<q:otherCriteriaList><a:CertSubjectDNAttribute><a:AttributeOID><x:Identifier>${id}</x:Identifier></a:AttributeOID></a:CertSubjectDNAttribute></q:otherCriteriaList>`
    const [right, wrong] = [policySet('2.999.1'), policySet('2.999.9')]
    assert.equal(isNotQualified(right), true)
    assert.equal(isNotQualified(wrong), false)
    assert.equal(isNotQualified(policySet('2.999.1', '2.999.9')), false)
    assert.equal(isNotQualified(wrong + right), true)
    assert.equal(isNotQualified(wrong + right, 'all'), false)
    assert.equal(isNotQualified(wrong, 'none'), true)
    assert.equal(isNotQualified(wrong + right, 'none'), false)
    assert.equal(isNotQualified(nested('none', wrong) + nested('all', right), 'all'), true)
    assert.equal(isNotQualified(name('2.5.4.3')), true)
    assert.equal(isNotQualified(nested('none', name('2.5.4.42')) + nested('none', name('2.5.4.3')), 'all'), false)
    assert.equal(isNotQualified(keyUsage({ digitalSignature: true, keyCertSign: false })), true)
    assert.equal(isNotQualified(keyUsage({ digitalSignature: false })), false)
    assert.equal(isNotQualified(`<q:Mood/>${right}`), true)
  })

  it('applies the law of that time to certificates from before eIDAS', () => {
    const old: Partial<TestService> = {
      from: '2016-06-30T22:00:00Z',
      scopes: ['ForeSignatures'],
      history: [{ status: 'undersupervision', from: '2012-01-01T00:00:00Z', scopes: [] }],
    }
    const from = '2015-01-01'
    const before = new Date('2016-01-01T00:00:00Z')
    assert.equal(ask(signer({ statements: [COMPLIANCE, DEVICE], from }), [old]).kind, 'QESig')
    assert.equal(ask(signer({ policies: ['0.4.0.1456.1.1'], from }), [old], before).kind, 'QESig')
    assert.equal(ask(signer({ policies: ['0.4.0.1456.1.2'], from }), [old], before).kind, 'AdESig-QC')
    assert.equal(ask(signer({ policies: ['0.4.0.1456.1.1'] }), [old]).kind, 'AdESig')
    const ceased = { ...old, history: [{ status: 'supervisionceased', from: '2012-01-01T00:00:00Z' }] }
    assert.equal(ask(signer({ statements: [COMPLIANCE, DEVICE], from }), [ceased]).kind, 'AdESig')
    const stillAccredited = { status: 'accredited', from: '2012-01-01T00:00:00Z' }
    assert.equal(ask(signer({ statements: [COMPLIANCE, DEVICE], from }), [stillAccredited]).kind, 'AdESig')
  })

  it('remarks an overdue list and answers nothing from one that is too old', () => {
    const overdue = ask(seal, [{}], NOW, { nextUpdate: '2026-02-20T00:00:00Z' })
    assert.equal(overdue.kind, 'QESeal')
    assert.match(overdue.remarks.join(), /list of DE is overdue/)
    assert.equal(ask(seal, [{}], NOW, { nextUpdate: '2026-02-10T00:00:00Z' }).kind, 'undetermined')
    assert.equal(ask(seal, [{}], NOW, { nextUpdate: null }).kind, 'QESeal')
  })

  it('names exactly the lists that its answers rest upon', () => {
    const german = accepted({ services: [{ certificates: [authority.certificate.der] }] })
    const lists = [accepted({ territory: 'AT' }), german]
    const qualifier = createTrustedLists({ listOfLists: null, pivots: [], lists }).qualifier(LIMITS)
    assert.deepEqual(qualifier.lists, [])
    const anchor = { certificate: authority.certificate, source: 'test' }
    const question = { path: [seal] as const, anchor, form: 'signature' as const, issuedAt: seal.notBefore }
    qualifier.qualify({ certificate: seal, bestTime: NOW, ...question })
    assert.deepEqual(
      qualifier.lists.map(({ territory, sha256, state }) => [territory, sha256, state]),
      [['DE', german.sha256, 'current']],
    )
  })

  it('finds qualified time-stamps by their own certificate or their authority', () => {
    const stamper = issue({ name: 'TSU', issuer: authority }).certificate
    const isQualified = (services: TestService[], genTime = NOW, nextUpdate = '2026-06-30T00:00:00Z') => {
      const lists = [accepted({ services, nextUpdate })]
      const qualifier = createTrustedLists({ listOfLists: null, pivots: [], lists }).qualifier(LIMITS)
      const anchor = { certificate: authority.certificate, source: 'test' }
      return qualifier.isQualifiedTimestamp({ certificate: stamper, path: [stamper], anchor, genTime })
    }
    const own: TestService = { type: 'TSA/QTST', certificates: [stamper.der], scopes: [] }
    const above = { ...own, certificates: [authority.certificate.der] }
    assert.equal(isQualified([own]), true)
    assert.equal(isQualified([above]), true)
    assert.equal(isQualified([{ ...own, type: 'TSA' }]), false)
    assert.equal(isQualified([{ ...own, status: 'withdrawn' }, above]), false)
    assert.equal(isQualified([own], new Date('2015-01-01T00:00:00Z')), false)
    assert.equal(isQualified([own, { ...own, status: 'withdrawn' }]), null)
    assert.equal(isQualified([own], NOW, '2026-01-01T00:00:00Z'), null)
  })

  it('knows providers that have stopped, in their country', () => {
    const stopped = (services: TestService[], territory = 'DE'): boolean => {
      const lists = [accepted({ services })]
      return createTrustedLists({ listOfLists: null, pivots: [], lists }).hasStopped(authority.certificate, territory)
    }
    assert.equal(stopped([withdrawn('2026-02-01T00:00:00Z')]), true)
    assert.equal(stopped([withdrawn('2026-02-01T00:00:00Z')], 'AT'), false)
    assert.equal(stopped([withdrawn('2026-02-01T00:00:00Z'), { certificates: [authority.certificate.der] }]), false)
    assert.equal(stopped([]), false)
  })

  it('makes anchors with purposes, also of services that lost their status, never of those that had none', () => {
    const tsa = issue({ name: 'TSA', issuer: authority }).certificate
    const responder = issue({ name: 'OCSP', issuer: authority }).certificate
    const { anchors } = createTrustedLists({
      listOfLists: null,
      pivots: [],
      lists: [
        accepted({
          sequence: 9,
          services: [
            { ...withdrawn('2026-02-01T00:00:00Z'), provider: 'P', name: 'CA 1' },
            { type: 'TSA/QTST', certificates: [tsa.der], scopes: [] },
            { type: 'Certstatus/OCSP/QC', certificates: [responder.der], scopes: [] },
            { type: 'CA/QC', status: 'withdrawn', certificates: [tsa.der] },
            { type: 'EDS/Q', certificates: [tsa.der] },
            { certificates: [responder.der], extensions: '<Extension Critical="true"><q:Odd/></Extension>' },
          ],
        }),
      ],
    })
    assert.deepEqual(
      anchors.map(({ certificate, purposes }) => [certificate.sha256, purposes]),
      [
        [authority.certificate.sha256, ['signing']],
        [tsa.sha256, ['timestamping']],
        [responder.sha256, ['revocation']],
      ],
    )
    assert.equal(anchors[0]?.source, 'trusted list DE 9: P, CA 1 (CA/QC)')
  })
})
