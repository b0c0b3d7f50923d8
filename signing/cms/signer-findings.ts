/**
 * What a person should know about a signer although it breaks nothing: its form, weak references, unknown elements.
 */
import { berChildren, readBer } from '../asn1/ber.ts'
import { toDer } from '../asn1/reencode.ts'
import { SigningError } from '../errors.ts'
import type { Finding } from '../validation/finding.ts'
import type { SignerParts } from './container.ts'
import { ATTRIBUTE } from './oids.ts'
import { asSet } from './signer.ts'
import type { SignerJudgement } from './signer.ts'

/** @param unsigned types of the unsigned attributes */
export function signerFindings(
  signer: SignerParts,
  judgement: SignerJudgement,
  unsigned: readonly string[],
): Finding[] {
  const findings: Finding[] = []
  if (signer.signedAttributes !== null) findings.push(...formFindings(signer.signedAttributes, judgement))
  if (judgement.referenceDigests.length === 0) findings.push({ severity: 'warning', code: 'not-baseline', detail: '' })
  if (judgement.referenceDigests.includes('sha1')) {
    findings.push({ severity: 'warning', code: 'weak-reference', detail: 'SHA-1' })
  }
  const unknown = [...new Set(unsigned)].filter((type) => !KNOWN.has(type))
  if (unknown.length > 0) findings.push({ severity: 'info', code: 'unknown-elements', detail: unknown.join(', ') })
  return findings
}

function formFindings(signedAttributes: Buffer, { isReencoded }: SignerJudgement): Finding[] {
  try {
    const detail = isReencoded ? 'the value is over the DER of what was sent' : 'the value is over what was sent'
    if (!isSorted(attributesIn(signedAttributes))) return [{ severity: 'warning', code: 'attributes-unsorted', detail }]
    const isDer = toDer(asSet(signedAttributes)).equals(asSet(signedAttributes))
    return isDer ? [] : [{ severity: 'info', code: 'not-der', detail }]
  } catch (error) {
    if (error instanceof SigningError) return []
    throw error
  }
}

/**
 * Is the value over the attributes in the order of DER, as RFC 5652 §5.4 says, and not only as they were sent? PAdES wants
 * DER throughout (EN 319 142-1 §4.1), and most who validate PDFs sort the attributes before they look.
 */
export function isOverSorted({ signedAttributes }: SignerParts, { isReencoded }: SignerJudgement): boolean {
  if (signedAttributes === null || isReencoded) return true
  try {
    return isSorted(attributesIn(signedAttributes))
  } catch (error) {
    if (error instanceof SigningError) return true
    throw error
  }
}

const attributesIn = (signedAttributes: Buffer): Buffer[] =>
  berChildren(readBer(signedAttributes), 0xa0).map(({ encoding }) => encoding)

const isSorted = (items: readonly Buffer[]): boolean =>
  items.every((item, index) => Buffer.compare(items[index - 1] ?? item, item) <= 0)

const KNOWN: ReadonlySet<string> = new Set(Object.values(ATTRIBUTE))
