/**
 * People who sign for a court, and one trusted list that knows their authority: a person with a qualified certificate,
 * an authority's qualified seal, somebody with an advanced certificate. Their certificates need no revocation data.
 */
import { createHash } from 'node:crypto'
import * as der from '../../asn1/der.ts'
import { signCades } from '../../cms/cades.ts'
import type { CadesRequest } from '../../cms/cades.ts'
import { softwareSigningKey } from '../../keys/software-key.ts'
import type { SigningKey } from '../../keys/signing-key.ts'
import { sealPdf } from '../../pdf/seal.ts'
import { bufferAccess, piecesOf } from '../../random-access.ts'
import type { RandomAccess } from '../../random-access.ts'
import { parseCertificate } from '../../trust/certificate.ts'
import type { AcceptedList } from '../../trust/lists/check-list.ts'
import { parseTrustedList } from '../../trust/lists/read-list.ts'
import { createTrustedLists } from '../../trust/lists/trusted-lists.ts'
import type { ValidationOptions } from '../../validation/validate.ts'
import { EXTENSIONS, ecKey, extension, issue } from './test-certificates.ts'
import type { Holder } from './test-certificates.ts'
import { listXml } from './test-lists.ts'

export interface CourtPeople {
  /** DER of the authority's certificate */
  authority: Buffer
  /** qualified signature, qualified seal, advanced signature */
  person: SigningKey
  seal: SigningKey
  clerk: SigningKey
  /** a qualified certificate, as it says, of an authority that no list knows */
  stranger: SigningKey
  now: Date
  /** with the list, or as if there were none */
  options: Omit<ValidationOptions, 'detached'>
  withoutLists: Omit<ValidationOptions, 'detached'>
}

export function courtPeople(now = new Date('2026-11-23T10:00:00Z')): CourtPeople {
  const root = authorityOf('Qualified CA', now)
  const list = listOf(root.certificate, now)
  const limits = { at: now, maxOverdueDays: 14 }
  const anchors = [{ certificate: parseCertificate(root.certificate), source: 'test' }]
  const base = { anchors, now, producer: 'test' }
  const lists = createTrustedLists({ listOfLists: null, pivots: [], lists: [list] })
  const empty = createTrustedLists({ listOfLists: null, pivots: [], lists: [] })
  return {
    authority: root.certificate,
    person: keyOf('Anna Amt', root, now, [COMPLIANCE, DEVICE, typed(1)]),
    seal: keyOf('Siegel Übungsstadt', root, now, [COMPLIANCE, DEVICE, typed(2)]),
    clerk: keyOf('Bernd Büro', root, now, []),
    stranger: keyOf('Carla Fremd', authorityOf('Unknown CA', now), now, [COMPLIANCE, DEVICE, typed(1)]),
    now,
    options: { ...base, qualifier: lists.qualifier(limits) },
    withoutLists: { ...base, qualifier: empty.qualifier(limits) },
  }
}

/** The document with a PAdES signature of this key. */
export async function signedPdf(pdf: Buffer, key: SigningKey, signedAt: Date): Promise<Buffer> {
  const { bytes } = await sealPdf(bufferAccess(pdf), key, { signedAt })
  const parts: Buffer[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts)
}

/** A CAdES signature of this key over the content. */
export function signatureOver(
  content: Buffer,
  key: SigningKey,
  signedAt: Date,
  form: CadesRequest['form'] = 'detached',
): Promise<Buffer> {
  return signCades(bufferAccess(content), key, { signedAt, form })
}

export async function bytesOf(source: RandomAccess): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of piecesOf(source)) parts.push(part)
  return Buffer.concat(parts)
}

function authorityOf(commonName: string, now: Date): Holder {
  const validity = { from: years(now, -3), until: years(now, 10) }
  return issue({ commonName, key: ecKey(), issuer: null, ...validity, extensions: EXTENSIONS.ca() })
}

function keyOf(commonName: string, issuer: Holder, now: Date, statements: readonly Buffer[]): SigningKey {
  const key = ecKey()
  const qualified = statements.length === 0 ? [] : [extension('1.3.6.1.5.5.7.1.3', der.sequence(...statements))]
  const { certificate } = issue({
    commonName,
    key,
    issuer,
    from: years(now, -1),
    until: years(now, 2),
    extensions: [...EXTENSIONS.signer(), NO_REVOCATION, ...qualified],
  })
  return softwareSigningKey(key, [certificate])
}

function listOf(certificate: Buffer, now: Date): AcceptedList {
  const [issued, nextUpdate] = [years(now, -0.1), years(now, 0.2)].map((time) => time.toISOString())
  const bytes = Buffer.from(
    listXml({ services: [{ certificates: [certificate] }], issued: issued ?? '', nextUpdate: nextUpdate ?? '' }),
  )
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const signer = parseCertificate(certificate)
  return { list: parseTrustedList(bytes), bytes, sha256, signer, location: 'https://list.example', retrievedAt: now }
}

const statement = (id: string, ...info: Buffer[]): Buffer => der.sequence(der.oid(id), ...info)
const COMPLIANCE = statement('0.4.0.1862.1.1')
const DEVICE = statement('0.4.0.1862.1.4')
const typed = (arc: number): Buffer => statement('0.4.0.1862.1.6', der.sequence(der.oid(`0.4.0.1862.1.6.${arc}`)))
/** RFC 9608 */
const NO_REVOCATION = extension('2.5.29.56', der.derNull())
const years = (from: Date, count: number): Date => new Date(from.getTime() + count * 365 * 24 * 60 * 60 * 1000)
