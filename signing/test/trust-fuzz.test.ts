/**
 * Mutated certificates, CRLs and OCSP answers: a coded error or a verdict, and never a good verdict over changed bytes.
 * Half of the mutations are signed again, so that they get past the signature and deep into the judgement.
 * `npm run prove` does 100,000, `npm test` a sample.
 */
import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { bitString, children, decode, derTrue, encode, integer, oid, sequence } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { parseCertificate, publicKeyOf } from '../trust/certificate.ts'
import type { Certificate } from '../trust/certificate.ts'
import { buildPaths, validatePath } from '../trust/path.ts'
import { parseRevocationList } from '../trust/revocation/crl.ts'
import { judgeRevocation } from '../trust/revocation/judgement.ts'
import { parseOcsp } from '../trust/revocation/ocsp.ts'
import { algorithmFacts } from '../trust/signature-value.ts'
import {
  answer,
  criticalExtension,
  extendedKeyUsage,
  extension,
  issue,
  issueList,
  keyUsage,
  nameOf,
} from './trust-pki.ts'
import { dice } from './support/dice.ts'
import type { Roll } from './support/dice.ts'

const PROVE = process.env['AMTSBOTE_PROVE'] === '1'
const SEED = Number(process.env['AMTSBOTE_SEED'] ?? 20261123)
const MUTATIONS = PROVE ? 100_000 : 2_400
const TIMEOUT_MS = PROVE ? 900_000 : 30_000

const policy = (...ids: string[]): Buffer => sequence(...ids.map((id) => sequence(oid(id))))
const point = sequence(
  encode(0xa0, encode(0xa0, encode(0x86, Buffer.from('http://ca.example/a.crl')))),
  encode(0x81, Buffer.from([1, 0x7e])),
  encode(0xa2, encode(0xa4, nameOf('CA'))),
)
const root = issue({ name: 'Root', ca: true })
const ca = issue({
  name: 'CA',
  ca: true,
  issuer: root,
  extensions: [
    extension('2.5.29.32', policy('1.2.3', '2.5.29.32.0')),
    extension('2.5.29.33', sequence(sequence(oid('1.2.3'), oid('1.2.4')))),
    criticalExtension('2.5.29.36', sequence(encode(0x80, Buffer.from([3])), encode(0x81, Buffer.from([2])))),
    criticalExtension('2.5.29.54', integer(4)),
    criticalExtension('2.5.29.30', sequence(encode(0xa0, sequence(encode(0x82, Buffer.from('stadt.de')))))),
  ],
})
const leaf = issue({
  name: 'Seal',
  issuer: ca,
  extensions: [
    extension('2.5.29.32', policy('1.2.4')),
    extension('2.5.29.31', sequence(point)),
    extension('2.5.29.17', sequence(encode(0x82, Buffer.from('amt.stadt.de')), encode(0x87, Buffer.alloc(4)))),
    extendedKeyUsage('1.3.6.1.5.5.7.3.4'),
    keyUsage(0xc0),
  ],
})
const distribution = encode(0xa0, encode(0xa0, encode(0x86, Buffer.from('http://ca.example/a.crl'))))
const crl = issueList({
  issuer: ca,
  entries: [
    {
      serial: Buffer.from([5]),
      at: '2026-01-01',
      reason: 1,
      extensions: [criticalExtension('2.5.29.29', sequence(encode(0xa4, nameOf('CA'))))],
    },
  ],
  extensions: [
    extension('2.5.29.20', integer(7)),
    criticalExtension('2.5.29.28', sequence(distribution, encode(0x84, Buffer.from([0xff])))),
  ],
})
const responder = issue({
  name: 'OCSP',
  issuer: ca,
  extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.9'), extension('1.3.6.1.5.5.7.48.1.5', Buffer.from([5, 0]))],
})
const ocsp = answer({
  signer: responder,
  certificate: leaf.certificate,
  issuer: ca,
  certificates: [responder.certificate],
  singleExtensions: [criticalExtension('1.3.6.1.5.5.7.48.1.9', derTrue())],
})
const plain = issue({
  name: 'Plain',
  issuer: ca,
  extensions: [extension('2.5.29.31', sequence(sequence(distribution)))],
})
const anchors = [{ certificate: root.certificate, source: 'test' }]
const time = new Date('2026-03-02')

function mutate(bytes: Buffer, roll: Roll): Buffer {
  const at = roll(bytes.length)
  const changed = Buffer.from(bytes)
  switch (roll(6)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + roll(20))])
    case 2:
      changed[at] = roll(256)
      changed[roll(bytes.length)] = [0, 0x80, 0xff, 0x30, 0x84, 0xa0][roll(6)] ?? 0
      return changed
    case 3:
      bytes.copy(changed, at, roll(bytes.length))
      return changed
    default:
      changed[at] = (changed[at] ?? 0) ^ (1 << roll(8))
      return changed
  }
}

/** SIGNED { … } with one element of the signed part changed, every length around it right, and the signature fresh. */
function resign(der: Buffer, key: Parameters<typeof sign>[2], roll: Roll): Buffer {
  const [tbs, algorithm] = children(decode(der))
  if (tbs === undefined || algorithm === undefined) throw new Error('no SIGNED structure')
  const changed = rewrite(tbs.encoding, roll)
  return sequence(changed, algorithm.encoding, bitString(sign('sha256', changed, key)))
}

/** Walks down to a random element and changes it there. */
function rewrite(bytes: Buffer, roll: Roll): Buffer {
  const element = decode(bytes)
  const isConstructed = (element.tag & 0x20) !== 0
  const parts = isConstructed ? children(element) : []
  if (parts.length === 0 || roll(8) === 0)
    return [mutate(bytes, roll), Buffer.concat([bytes, bytes]), Buffer.alloc(0)][roll(3)] ?? bytes
  const chosen = roll(parts.length)
  return encode(
    element.tag,
    ...parts.map(({ encoding }, index) => (index === chosen ? rewrite(encoding, roll) : encoding)),
  )
}

/** The result, or null after an error of this module; every other error is a crash. */
function attempt<T>(work: () => T): T | null {
  try {
    return work()
  } catch (error) {
    if (error instanceof SigningError && error.code === 'signing/asn1-damaged') return null
    throw error
  }
}

function status(certificate: Certificate, issuer: Certificate, crls: Buffer[], ocsps: Buffer[]): string {
  const pool = [ca.certificate, responder.certificate]
  const evidence = { certificates: [], crls, ocsps }
  return judgeRevocation({ certificate, issuer, pool, anchors, evidence, controlTime: time }).kind
}

function isValid(signer: Certificate, pool: Certificate[]): boolean {
  return buildPaths(signer, pool, anchors).some((path) => validatePath(path, { time }).kind === 'valid')
}

/** Every question that a certificate from outside is asked. */
function probe(certificate: Certificate): void {
  publicKeyOf(certificate.spki)
  attempt(() => algorithmFacts(certificate.signatureAlgorithm, certificate.spki))
  isValid(certificate, [ca.certificate])
  isValid(leaf.certificate, [certificate])
  status(certificate, ca.certificate, [crl], [ocsp])
  status(leaf.certificate, certificate, [crl], [ocsp])
}

describe(`mutated certificates and revocation data (seed ${SEED})`, function () {
  this.timeout(TIMEOUT_MS)
  const rounds = Math.floor(MUTATIONS / 4)

  it('starts from originals that are good', () => {
    assert.equal(isValid(leaf.certificate, [ca.certificate]), true)
    assert.equal(status(leaf.certificate, ca.certificate, [], [ocsp]), 'good')
    // the distribution point of the seal names some reasons only
    assert.equal(status(leaf.certificate, ca.certificate, [crl], []), 'unavailable')
    assert.equal(status(plain.certificate, ca.certificate, [crl], []), 'good')
  })

  it('never validates a certificate whose signed bytes changed', () => {
    const roll = dice(SEED)
    for (let round = 0; round < rounds; round++) {
      const original = roll(2) === 0 ? leaf.certificate : ca.certificate
      const certificate = attempt(() => parseCertificate(mutate(original.der, roll)))
      if (certificate === null) continue
      const valid =
        original === leaf.certificate
          ? isValid(certificate, [ca.certificate])
          : isValid(leaf.certificate, [certificate])
      const unchanged = certificate.tbs.equals(original.tbs)
      assert.equal(valid && !unchanged, false, `round ${round}: ${certificate.der.toString('hex')}`)
    }
  })

  it('never believes a CRL or OCSP answer whose signed bytes changed', () => {
    const roll = dice(SEED + 1)
    const originalList = parseRevocationList(crl)
    const originalAnswer = parseOcsp(ocsp)
    assert.equal(originalAnswer.kind, 'answered')
    for (let round = 0; round < rounds; round++) {
      const list = mutate(crl, roll)
      const byList = status(plain.certificate, ca.certificate, [list], [])
      if (byList !== 'unavailable') assert.deepEqual(parseRevocationList(list).tbs, originalList.tbs, `round ${round}`)
      const response = mutate(ocsp, roll)
      const byAnswer = status(leaf.certificate, ca.certificate, [], [response])
      const parsed = byAnswer === 'unavailable' ? null : parseOcsp(response)
      if (parsed?.kind === 'answered') assert.deepEqual(parsed.tbs, originalAnswer.tbs, `round ${round}`)
    }
  })

  it('only ever gives verdicts or coded errors for odd certificates that a CA really signed', () => {
    const roll = dice(SEED + 2)
    for (let round = 0; round < rounds; round++) {
      const [original, issuer] = roll(2) === 0 ? [leaf, ca] : [ca, root]
      const certificate = attempt(() => parseCertificate(resign(original.certificate.der, issuer.key, roll)))
      if (certificate !== null) probe(certificate)
    }
  })

  it('only ever gives verdicts for odd CRLs and OCSP answers that are really signed', () => {
    const roll = dice(SEED + 3)
    const basic = children(decode(ocsp)).at(-1)
    assert.ok(basic !== undefined)
    const [bytes] = children(basic).flatMap((part) => children(part).slice(1))
    assert.ok(bytes !== undefined)
    const kinds = new Set<string>()
    for (let round = 0; round < rounds; round++) {
      kinds.add(status(plain.certificate, ca.certificate, [resign(crl, ca.key, roll)], []))
      kinds.add(status(leaf.certificate, ca.certificate, [], [resign(bytes.content, responder.key, roll)]))
    }
    assert.ok(kinds.has('good') && kinds.has('unavailable') && kinds.has('stale'), [...kinds].join())
  })
})
