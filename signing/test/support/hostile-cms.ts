/** CMS objects, revocation lists and key files that were made to fill the memory or the time of whoever reads them. */
import { randomBytes } from 'node:crypto'
import * as der from '../../asn1/der.ts'
import { ATTRIBUTE, ID_DATA, ID_SIGNED_DATA } from '../../cms/oids.ts'
import { PKCS12 } from '../../keys/pkcs12-format.ts'
import type { HostileCase } from './hostile.worker.ts'
import { attribute, cadesAttributes, rawSignedData } from './raw-cms.ts'
import type { RawSignedData, RawSigner } from './raw-cms.ts'
import { EXTENSIONS, ecKey, extension, issue, signed } from './test-certificates.ts'
import type { Holder } from './test-certificates.ts'

const [FROM, UNTIL, NOW] = ['2026-01-01', '2028-01-01', '2026-11-23'].map((day) => new Date(day)) as [Date, Date, Date]
const CONTENT = Buffer.from('Bescheid')

const authority = (name: string, issuer: Holder | null = null): Holder =>
  issue({ commonName: name, key: ecKey(), issuer, from: FROM, until: UNTIL, extensions: EXTENSIONS.ca() })

const ROOT = authority('Wurzel')
const SIGNER = issue({
  commonName: 'Siegel',
  key: ecKey(),
  issuer: ROOT,
  from: FROM,
  until: UNTIL,
  extensions: EXTENSIONS.signer(),
})

const OWN = [SIGNER.certificate, ROOT.certificate]
const signer = (more: Partial<RawSigner> = {}, content = CONTENT): RawSigner => ({
  holder: SIGNER,
  attributes: cadesAttributes(content, SIGNER, NOW),
  ...more,
})

/** A signature that holds, with so much else in it. */
export function withCertificates(certificates: readonly Buffer[], more: Partial<RawSignedData> = {}): Buffer {
  return rawSignedData({ content: CONTENT, signers: [signer()], certificates: [...OWN, ...certificates], ...more })
}

/** Certificates that differ in their serial numbers, of the same name and key: every one could be the issuer. */
export function twins(count: number): Buffer[] {
  const key = ecKey()
  const one = { commonName: 'Wurzel', key, issuer: null, from: FROM, until: UNTIL, extensions: EXTENSIONS.ca() }
  return Array.from({ length: count }, () => issue(one).certificate)
}

/** Certificates, each with an extension of that size. */
export function largeCertificates(count: number, bytes: number): Buffer[] {
  const extensions = [extension('2.999.1', Buffer.alloc(bytes))]
  const one = { commonName: 'Groß', key: ecKey(), issuer: null, from: FROM, until: UNTIL, extensions }
  return Array.from({ length: count }, () => issue(one).certificate)
}

/** A chain of so many authorities, the signer at its end. */
function longChain(length: number): Buffer {
  const chain: Holder[] = [ROOT]
  for (let depth = 0; depth < length; depth++) chain.push(authority(`Stufe ${depth}`, chain.at(-1)))
  const extensions = EXTENSIONS.signer()
  const issuer = chain.at(-1) ?? ROOT
  const holder = issue({ commonName: 'Siegel', key: ecKey(), issuer, from: FROM, until: UNTIL, extensions })
  return rawSignedData({
    content: CONTENT,
    signers: [{ holder, attributes: cadesAttributes(CONTENT, holder, NOW) }],
    certificates: [holder, ...chain].map(({ certificate }) => certificate),
  })
}

/** So many signers, all the same. */
const manySigners = (count: number): Buffer =>
  withCertificates([], { signers: Array.from({ length: count }, () => signer()) })

/** So many unsigned attributes of this type, each with this value. */
const unsignedAttributes = (count: number, type: string, value: (index: number) => Buffer): Buffer =>
  withCertificates([], {
    signers: [signer({ unsigned: Array.from({ length: count }, (_, index) => attribute(type, value(index))) })],
  })

/** A list of the root with so many entries. */
export function revocationListOf(entries: number): Buffer {
  const row = (index: number): Buffer => {
    const serial = Buffer.alloc(5, 0x11)
    serial.writeUInt32BE(index, 1)
    return der.sequence(der.encode(0x02, serial), der.time(NOW))
  }
  const length = row(0).length
  const rows = Buffer.alloc(entries * length)
  const template = row(0)
  for (let index = 0; index < entries; index++) {
    template.copy(rows, index * length)
    rows.writeUInt32BE(index, index * length + 5)
  }
  const algorithm = der.sequence(der.oid('1.2.840.10045.4.3.2'))
  const tbs = der.sequence(der.integer(1), algorithm, ROOT.name, der.time(FROM), der.time(UNTIL), der.sequence(rows))
  return signed(tbs, ROOT.key)
}

/** A signature with these revocation lists in it. */
function withLists(lists: readonly Buffer[]): Buffer {
  const parts = der.childrenOf(der.decode(withCertificates([])), der.TAG.sequence)
  const fields = der.childrenOf(der.children(der.expect(parts[1], 0xa0))[0], der.TAG.sequence).map((f) => f.encoding)
  const [version, digests, content, certificates, signers] = fields as [Buffer, Buffer, Buffer, Buffer, Buffer]
  const data = der.sequence(version, digests, content, certificates, der.encode(0xa1, ...lists), signers)
  return der.sequence(der.oid(ID_SIGNED_DATA), der.encode(0xa0, data))
}

/** Signed content inside, in so many layers. */
function layers(count: number, bytes: number): Buffer {
  let inside: Buffer<ArrayBuffer> = Buffer.from(randomBytes(bytes))
  for (let layer = 0; layer < count; layer++)
    inside = Buffer.from(withCertificates([], { content: inside, inside, signers: [signer({}, inside)] }))
  return inside
}

/** Content inside that comes in pieces of this size (BER), `depth` deep. */
function pieces(bytes: number, size: number, depth: number): Buffer {
  let octets: Buffer = Buffer.alloc(Math.floor(bytes / size) * (size + 4))
  const head = Buffer.from([0x04, 0x82, size >> 8, size & 255])
  for (let at = 0; at < octets.length; at += size + 4) head.copy(octets, at)
  for (let level = 0; level < depth; level++) octets = der.encode(0x24, octets)
  const inside = der.sequence(der.oid(ID_DATA), der.encode(0xa0, octets))
  const signerInfos = der.encode(0x31, der.sequence())
  const data = der.sequence(der.integer(1), der.setOf(), inside, signerInfos)
  return der.sequence(der.oid(ID_SIGNED_DATA), der.encode(0xa0, data))
}

/** Indefinite lengths in one another, or one after the other. */
const indefinite = (bytes: number): Buffer => Buffer.alloc(bytes, Buffer.from('3080', 'hex'))
const manySmall = (bytes: number): Buffer => {
  const type = der.oid(ID_SIGNED_DATA)
  return der.sequence(type, der.encode(0xa0, der.encode(0x30, Buffer.alloc(bytes, Buffer.from('3000', 'hex')))))
}

/** PEM around nothing but zeros. */
const armoured = (bytes: number): Buffer =>
  Buffer.concat([Buffer.from('-----BEGIN CMS-----\n'), Buffer.alloc(bytes, 'A'), Buffer.from('\n-----END CMS-----\n')])

/** Values of the attribute of long-term validation that hold so many OCSP answers of that size. */
function revocationValues(count: number, bytes: number): Buffer {
  const answer = (index: number): Buffer => der.sequence(der.integer(index), der.octetString(Buffer.alloc(bytes)))
  const list = der.encode(der.TAG.sequence, ...Array.from({ length: count }, (_, index) => answer(index)))
  return unsignedAttributes(1, ATTRIBUTE.revocationValues, () => der.sequence(der.encode(0xa1, list)))
}

/** An answer of a time-stamping authority with so many bytes in it. */
function timestampAnswer(token: Buffer): Buffer {
  return der.sequence(der.sequence(der.integer(0)), token)
}

/** A key file with a MAC that takes so many rounds. */
function keyFile(iterations: number, content: Buffer): Buffer {
  const safe = der.sequence(der.oid(PKCS12.data), der.encode(0xa0, der.octetString(content)))
  const digest = der.sequence(
    der.sequence(der.oid('2.16.840.1.101.3.4.2.1'), der.derNull()),
    der.octetString(Buffer.alloc(32)),
  )
  return der.sequence(
    der.integer(3),
    safe,
    der.sequence(digest, der.octetString(Buffer.alloc(8)), der.integer(iterations)),
  )
}

const MIB = 1024 * 1024
const count = (length: number): number[] => Array.from({ length }, (_, index) => index)
const trusted = { certificates: [ROOT.certificate.toString('base64')], content: CONTENT.toString() }
const of = (build: () => Buffer): HostileCase => ({ build, ...trusted })
/** A token so large, which is none. */
const token = (index: number, bytes: number): Buffer =>
  der.sequence(
    der.oid(ID_SIGNED_DATA),
    der.encode(0xa0, der.sequence(der.integer(index), der.octetString(Buffer.alloc(bytes)))),
  )

export const CMS_CASES: Record<string, HostileCase> = {
  'nothing more in it': of(() => withCertificates([])),
  '4,900 certificates that could be the issuer': of(() => withCertificates(twins(4_900))),
  '230 certificates of 250 kB': { ...of(() => withCertificates(largeCertificates(230, 250_000))), always: true },
  'a chain of 14 authorities': of(() => longChain(14)),
  'a chain of 500 authorities': of(() => longChain(500)),
  '200 signers': of(() => manySigners(200)),
  '95,000 attributes': of(() => unsignedAttributes(95_000, '2.999.1', () => der.derNull())),
  '4,900 time-stamps': of(() => unsignedAttributes(4_900, ATTRIBUTE.signatureTimeStamp, der.integer)),
  '99 time-stamps of 600 kB': of(() => unsignedAttributes(99, ATTRIBUTE.signatureTimeStamp, (n) => token(n, 600_000))),
  '4,900 counter-signatures': of(() =>
    unsignedAttributes(4_900, ATTRIBUTE.countersignature, (n) => der.sequence(der.integer(1), der.integer(n))),
  ),
  'a list of 500,000 certificates': { ...of(() => withLists([revocationListOf(500_000)])) },
  'a list of 2,300,000 certificates': of(() => withLists([revocationListOf(2_300_000)])),
  '4,900 lists': of(() => withLists(count(4_900).map((n) => revocationListOf(n % 500)))),
  '60 OCSP answers of 1 MB': of(() => revocationValues(60, 1_000_000)),
  '90,000 OCSP answers': { ...of(() => revocationValues(90_000, 600)) },
  'signatures over signatures over 60 MiB': { build: () => layers(4, 60 * MIB) },
  '63 MiB in pieces, 28 layers deep': { build: () => pieces(63 * MIB, 700, 28), always: true },
  'indefinite lengths without end': { build: () => indefinite(64 * MIB) },
  '30 million empty elements': { build: () => manySmall(60 * MIB) },
  '63 MiB in armour': { build: () => armoured(63 * MIB) },
  'an answer with 500 certificates': { entry: 'timestamp', build: () => timestampAnswer(withCertificates(twins(500))) },
  'a key file with ten million rounds': {
    entry: 'pkcs12',
    build: () => keyFile(10_000_000, der.sequence()),
    always: true,
  },
  'a key file with a million rounds': { entry: 'pkcs12', build: () => keyFile(1_000_000, der.sequence()) },
  'a key file of 500,000 elements': {
    entry: 'pkcs12',
    build: () => Buffer.concat([Buffer.from('3080', 'hex'), Buffer.alloc(1_040_000, Buffer.from('3000', 'hex'))]),
  },
  'a key file of 500,000 levels': { entry: 'pkcs12', build: () => indefinite(1_040_000) },
}
