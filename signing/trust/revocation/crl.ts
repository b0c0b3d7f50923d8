/**
 * Certificate revocation lists (RFC 5280 §5): reading one, and finding an entry in it.
 *
 * Lists of millions of entries exist. Entries stay bytes; a look-up walks them without making objects.
 */
import { createHash } from 'node:crypto'
import { TAG, childrenOf, decode, decodeFirst, expect, readTime } from '../../asn1/der.ts'
import type { Element } from '../../asn1/der.ts'
import { SigningError } from '../../errors.ts'
import { EXTENSION, readAuthorityKeyIdentifier } from '../certificate.ts'
import { readBoolean, readExtensionList, readExtensions, readNamedBits, splitSigned } from '../fields.ts'
import type { Extension } from '../fields.ts'
import { REASONS, readPointName } from '../extensions.ts'
import type { DistributionPoint, ReasonFlag } from '../extensions.ts'
import { readGeneralName } from '../general-name.ts'
import { parseName } from '../name.ts'
import type { Name } from '../name.ts'
import { reasonOf } from './verdict.ts'
import type { RevocationReason } from './verdict.ts'

export interface RevocationList {
  readonly der: Buffer
  readonly sha256: string
  readonly issuer: Name
  readonly thisUpdate: Date
  /** null: not given; such a list never says until when it counts */
  readonly nextUpdate: Date | null
  readonly signatureAlgorithm: Buffer
  readonly tbs: Buffer
  readonly signature: Buffer
  /** key identifier of the issuer */
  readonly keyIdentifier: Buffer | null
  /** CRL number; null: not given */
  readonly number: bigint | null
  /** number of the list that this delta builds upon; null: a complete list */
  readonly baseNumber: bigint | null
  /** null: everything that the issuer issued */
  readonly scope: ListScope | null
  /** certificates that expired before this date are no longer listed (ExpiredCertsOnCRL, X.509 §9.5.2.8) */
  readonly expiredSince: Date | null
  /** an unknown critical extension, of the list or of an entry: the list must not be used (§5.2, §5.3) */
  readonly hasUnknownCritical: boolean
  readonly entries: Buffer
}

/** IssuingDistributionPoint (§5.2.5). */
export interface ListScope extends Pick<DistributionPoint, 'fullNames' | 'relativeName'> {
  readonly onlyUserCertificates: boolean
  readonly onlyCaCertificates: boolean
  readonly onlyAttributeCertificates: boolean
  readonly onlyReasons: ReadonlySet<ReasonFlag> | null
  readonly indirect: boolean
  /** encoding, to compare a delta with its base */
  readonly der: Buffer
}

export interface ListEntry {
  readonly revokedAt: Date
  readonly reason: RevocationReason
}

/**
 * Reads one DER list; the same buffer object gives the same object again.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function parseRevocationList(der: Buffer): RevocationList {
  const known = parsed.get(der)
  if (known !== undefined) return known
  const list = readList(der)
  parsed.set(der, list)
  return list
}

const parsed = new WeakMap<Buffer, RevocationList>()

function readList(der: Buffer): RevocationList {
  if (der.length > MAX_BYTES) throw damaged('a revocation list is too large')
  const { tbs, algorithm, signature } = splitSigned(der)
  const fields = childrenOf(tbs, TAG.sequence)
  if (fields[0]?.tag === TAG.integer) fields.shift()
  const [inner, issuer, thisUpdate, ...rest] = fields
  if (!expect(inner, TAG.sequence).encoding.equals(algorithm)) throw damaged('a revocation list names two algorithms')
  const entries = rest.find(({ tag }) => tag === TAG.sequence)?.content ?? EMPTY
  const extensions = readExtensions(rest.find(({ tag }) => tag === CONTEXT_0))
  return {
    der,
    sha256: createHash('sha256').update(der).digest('hex'),
    issuer: parseName(issuer),
    thisUpdate: readTime(thisUpdate),
    nextUpdate: readNextUpdate(rest[0]),
    signatureAlgorithm: algorithm,
    tbs: tbs.encoding,
    signature,
    ...readListExtensions(extensions),
    hasUnknownCritical: hasUnknownCritical(extensions, KNOWN) || entriesHaveUnknownCritical(entries),
    entries,
  }
}

/** §5.1.2.5: optional, and followed by the entries or the extensions, which are no times. */
function readNextUpdate(element: Element | undefined): Date | null {
  const isAbsent = element === undefined || element.tag === TAG.sequence || element.tag === CONTEXT_0
  return isAbsent ? null : readTime(element)
}

function readListExtensions(
  extensions: ReadonlyMap<string, Extension>,
): Pick<RevocationList, 'keyIdentifier' | 'number' | 'baseNumber' | 'scope' | 'expiredSince'> {
  return {
    keyIdentifier: readAuthorityKeyIdentifier(extensions.get(EXTENSION.authorityKeyIdentifier))?.keyIdentifier ?? null,
    number: readNumber(extensions.get(CRL.number)),
    baseNumber: readNumber(extensions.get(CRL.deltaIndicator)),
    scope: readScope(extensions.get(CRL.issuingDistributionPoint)),
    expiredSince: readExpiredSince(extensions.get(CRL.expiredCertificates)),
  }
}

/**
 * The entry for this certificate; null: the list does not name it. The last entry counts if there are several.
 *
 * @param issuer of the certificate: an indirect list speaks for several issuers (§5.3.3)
 */
export function findEntry(list: RevocationList, serial: Buffer, issuer: Name): ListEntry | null {
  let current = list.issuer
  let found: ListEntry | null = null
  walkEntries(list.entries, (entrySerial, entry, hasExtensions) => {
    const matches = entrySerial.equals(serial)
    if (!matches && !(hasExtensions && list.scope?.indirect === true)) return
    const [, at, wrapper] = childrenOf(decode(entry), TAG.sequence)
    const extensions: ReadonlyMap<string, Extension> = wrapper === undefined ? new Map() : readExtensionList(wrapper)
    current = certificateIssuer(extensions) ?? current
    if (matches && current.key === issuer.key) found = { revokedAt: readTime(at), reason: readReason(extensions) }
  })
  return found
}

/** Calls `visit` with the serial, the whole entry, and whether the entry has extensions. Checks the outer form only. */
function walkEntries(entries: Buffer, visit: (serial: Buffer, entry: Buffer, hasExtensions: boolean) => void): void {
  for (let at = 0; at < entries.length;) {
    const header = readHeader(entries, at, TAG.sequence)
    const serial = readHeader(entries, header.start, TAG.integer)
    const time = readHeader(entries, serial.end, null)
    if (time.end > header.end) throw damaged('an entry of a revocation list is cut off')
    visit(entries.subarray(serial.start, serial.end), entries.subarray(at, header.end), time.end < header.end)
    at = header.end
  }
}

function readHeader(bytes: Buffer, at: number, tag: number | null): { start: number; end: number } {
  const first = bytes[at + 1] ?? 0x80
  if (first >= 0x80) return readLongHeader(bytes, at, tag)
  const end = at + 2 + first
  if ((tag !== null && bytes[at] !== tag) || end > bytes.length)
    throw damaged('an entry of a revocation list is damaged')
  return { start: at + 2, end }
}

function readLongHeader(bytes: Buffer, at: number, tag: number | null): { start: number; end: number } {
  const element = decodeFirst(bytes.subarray(at))
  if (tag !== null && element.tag !== tag) throw damaged('an entry of a revocation list is damaged')
  const end = at + element.encoding.length
  return { start: end - element.content.length, end }
}

/** One pass at parse time also proves that every entry can be walked. */
function entriesHaveUnknownCritical(entries: Buffer): boolean {
  let found = false
  walkEntries(entries, (_, entry, hasExtensions) => {
    // a reason code alone, in the usual encoding, is never critical: spares a million objects
    if (!hasExtensions || found || entry.indexOf(PLAIN_REASON) === entry.length - PLAIN_REASON.length - 1) return
    const [, , wrapper] = childrenOf(decode(entry), TAG.sequence)
    found = hasUnknownCritical(readExtensionList(wrapper), KNOWN_IN_ENTRY)
  })
  return found
}

export function hasUnknownCritical(extensions: ReadonlyMap<string, Extension>, known: ReadonlySet<string>): boolean {
  return [...extensions].some(([id, { critical }]) => critical && !known.has(id))
}

/** §5.3.3: GeneralNames with the directory name of the issuer; holds for the entries that follow, too. */
function certificateIssuer(extensions: ReadonlyMap<string, Extension>): Name | null {
  const extension = extensions.get(CRL.certificateIssuer)
  if (extension === undefined) return null
  const names = childrenOf(decode(extension.value), TAG.sequence).map(readGeneralName)
  const directory = names.find(({ kind }) => kind === 'directory')
  if (directory?.kind !== 'directory') throw damaged('an entry of a revocation list names no issuer')
  return directory.name
}

function readReason(extensions: ReadonlyMap<string, Extension>): RevocationReason {
  const extension = extensions.get(CRL.reasonCode)
  return extension === undefined ? 'unspecified' : reasonOf(expect(decode(extension.value), ENUMERATED).content)
}

function readNumber(extension: Extension | undefined): bigint | null {
  if (extension === undefined) return null
  const { content } = expect(decode(extension.value), TAG.integer)
  if (content.length === 0 || content.length > 32) throw damaged('a list number is out of range')
  return BigInt(`0x${content.toString('hex')}`)
}

function readExpiredSince(extension: Extension | undefined): Date | null {
  return extension === undefined ? null : readTime(decode(extension.value))
}

function readScope(extension: Extension | undefined): ListScope | null {
  if (extension === undefined) return null
  const fields = new Map(childrenOf(decode(extension.value), TAG.sequence).map((field) => [field.tag, field]))
  const flag = (tag: number): boolean => isTrue(fields.get(tag))
  const reasons = fields.get(0x83)
  return {
    ...readPointName(fields.get(0xa0)),
    onlyUserCertificates: flag(0x81),
    onlyCaCertificates: flag(0x82),
    onlyReasons: reasons === undefined ? null : readNamedBits(reasons.content, REASONS),
    indirect: flag(0x84),
    onlyAttributeCertificates: flag(0x85),
    der: extension.value,
  }
}

const isTrue = (element: Element | undefined): boolean => element !== undefined && readBoolean(element)

function damaged(message: string): SigningError {
  return new SigningError('signing/asn1-damaged', message)
}

const CRL = {
  number: '2.5.29.20',
  reasonCode: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  deltaIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  expiredCertificates: '2.5.29.60',
} as const
const KNOWN: ReadonlySet<string> = new Set([
  CRL.number,
  CRL.deltaIndicator,
  CRL.issuingDistributionPoint,
  CRL.expiredCertificates,
  EXTENSION.authorityKeyIdentifier,
  EXTENSION.issuerAltName,
  EXTENSION.freshestCrl,
])
const KNOWN_IN_ENTRY: ReadonlySet<string> = new Set([CRL.reasonCode, CRL.invalidityDate, CRL.certificateIssuer])
/** SEQUENCE { SEQUENCE { reasonCode, OCTET STRING { ENUMERATED … } } }, the last byte left open */
const PLAIN_REASON = Buffer.from('300c300a0603551d1504030a01', 'hex')
const CONTEXT_0 = 0xa0
const ENUMERATED = 0x0a
const EMPTY = Buffer.alloc(0)
const MAX_BYTES = 64 * 1024 * 1024
