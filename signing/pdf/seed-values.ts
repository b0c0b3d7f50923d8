/**
 * What an empty signature field demands of its signature (ISO 32000-2 §12.7.5.5 tables 235 and 236): seed values.
 *
 * A constraint that is marked as required is kept or the field is refused; one that nobody here knows is refused too.
 */
import { SigningError } from '../errors.ts'
import type { PdfDocument } from './document.ts'
import { decodeText, listAt } from './fields.ts'
import { stringBytes, wholeNumber } from './values.ts'
import type { PdfDictionary, PdfValue } from './values.ts'

/** What the signature will be. */
export interface SeedFacts {
  /** 'sha256' … */
  digest: string
  reason: string
  hasTimestamp: boolean
  isCertification: boolean
  /** DER, the signer's own first */
  chain: readonly [Buffer, ...Buffer[]]
}

/** @throws SigningError `signing/field-unusable` the message names the constraint */
export async function checkSeedValues(document: PdfDocument, field: PdfDictionary, facts: SeedFacts): Promise<void> {
  const seed = await document.resolve(field.entries.get('SV'))
  if (seed.kind !== 'dictionary') return
  const flags = await flagsOf(document, seed)
  if (flags >= 1 << CONSTRAINTS.length) throw unusable('demands something unknown')
  for (const [bit, [what, isMet]] of CONSTRAINTS.entries()) {
    if ((flags & (1 << bit)) !== 0 && !(await isMet(document, seed, facts))) throw unusable(`demands ${what}`)
  }
  await checkModification(document, seed, facts)
  await checkTimestamp(document, seed, facts)
  const certificate = await document.resolve(seed.entries.get('Cert'))
  if (certificate.kind === 'dictionary') await checkCertificate(document, certificate, facts)
}

type Constraint = (document: PdfDocument, seed: PdfDictionary, facts: SeedFacts) => boolean | Promise<boolean>

/** In the order of the bits of /Ff. */
const CONSTRAINTS: readonly [what: string, isMet: Constraint][] = [
  ['another /Filter', async (document, seed) => (await textsAt(document, seed, 'Filter')).includes('Adobe.PPKLite')],
  [
    'another /SubFilter than ETSI.CAdES.detached',
    async (document, seed) => (await textsAt(document, seed, 'SubFilter')).includes('ETSI.CAdES.detached'),
  ],
  ['a newer reader', async (document, seed) => numberOf(await document.resolve(seed.entries.get('V'))) <= 3],
  ['another reason', reasonFits],
  ['a legal attestation', () => false],
  [
    'revocation data inside the signature, which PAdES forbids',
    async (document, seed) => !isTrue(await document.resolve(seed.entries.get('AddRevInfo'))),
  ],
  [
    'another digest',
    async (document, seed, { digest }) =>
      (await textsAt(document, seed, 'DigestMethod')).map((text) => text.toLowerCase()).includes(digest),
  ],
  [
    'that the document be locked',
    async (document, seed) => ['false', 'auto'].includes((await textsAt(document, seed, 'LockDocument'))[0] ?? 'auto'),
  ],
  ['an appearance of its own', () => false],
]

/** A list with a single full stop means: no reason. */
async function reasonFits(document: PdfDocument, seed: PdfDictionary, { reason }: SeedFacts): Promise<boolean> {
  const allowed = await textsAt(document, seed, 'Reasons')
  const none = allowed.length === 0 || (allowed.length === 1 && allowed[0] === '.')
  return none ? reason === '' : allowed.includes(reason)
}

/** /MDP: 0 is an approval, 1 to 3 a certification with that permission; always a demand. */
async function checkModification(document: PdfDocument, seed: PdfDictionary, facts: SeedFacts): Promise<void> {
  const entry = await document.resolve(seed.entries.get('MDP'))
  if (entry.kind !== 'dictionary') return
  const wanted = wholeNumber(await document.resolve(entry.entries.get('P')))
  if (wanted === (facts.isCertification ? 2 : 0)) return
  throw unusable(
    wanted === 0 ? 'demands an approval, not a certification' : `demands a certification of kind ${wanted ?? '?'}`,
  )
}

async function checkTimestamp(document: PdfDocument, seed: PdfDictionary, facts: SeedFacts): Promise<void> {
  const entry = await document.resolve(seed.entries.get('TimeStamp'))
  const isDemanded = entry.kind === 'dictionary' && (await flagsOf(document, entry)) !== 0
  if (isDemanded && !facts.hasTimestamp) throw unusable('demands a time-stamp')
}

/** Table 236: bit 1 /Subject and bit 2 /Issuer are lists of certificates; the others are not known here. */
async function checkCertificate(document: PdfDocument, entry: PdfDictionary, { chain }: SeedFacts): Promise<void> {
  const flags = await flagsOf(document, entry)
  if (flags >= 4) throw unusable('demands properties of the certificate that cannot be checked')
  const lists = async (key: string, candidates: readonly Buffer[]): Promise<boolean> => {
    const wanted = await bytesAt(document, entry, key)
    return candidates.some((one) => wanted.some((bytes) => bytes.equals(one)))
  }
  const [signer, ...issuers] = chain
  const isSubject = (flags & 1) === 0 || (await lists('Subject', [signer]))
  const isIssuer = (flags & 2) === 0 || (await lists('Issuer', issuers.length === 0 ? [signer] : issuers))
  if (!isSubject || !isIssuer) throw unusable('demands another certificate')
}

async function flagsOf(document: PdfDocument, holder: PdfDictionary): Promise<number> {
  return wholeNumber(await document.resolve(holder.entries.get('Ff'))) ?? 0
}

/** Names and text strings of an entry that is one or an array of them. */
async function textsAt(document: PdfDocument, holder: PdfDictionary, key: string): Promise<string[]> {
  const value = await document.resolve(holder.entries.get(key))
  const texts: string[] = []
  for (const item of value.kind === 'array' ? value.items : [value]) {
    const one = await document.resolve(item)
    if (one.kind === 'name') texts.push(one.value)
    if (one.kind === 'string') texts.push(decodeText(stringBytes(one.raw)))
    if (one.kind === 'boolean') texts.push(String(one.value))
  }
  return texts
}

async function bytesAt(document: PdfDocument, holder: PdfDictionary, key: string): Promise<Buffer[]> {
  const found: Buffer[] = []
  for (const item of await listAt(document, holder, key)) {
    const value = await document.resolve(item)
    if (value.kind === 'string') found.push(stringBytes(value.raw))
  }
  return found
}

const numberOf = (value: PdfValue): number => wholeNumber(value) ?? Infinity
const isTrue = (value: PdfValue): boolean => value.kind === 'boolean' && value.value

function unusable(message: string): SigningError {
  return new SigningError('signing/field-unusable', `the signature field ${message}`)
}
