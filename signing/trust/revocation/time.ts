/** GeneralizedTime of OCSP (RFC 6960 §4.2.2.1: as RFC 5280, but responders that add fractions are in service). */
import { readTime } from '../../asn1/der.ts'
import type { Element } from '../../asn1/der.ts'
import { SigningError } from '../../errors.ts'

/** Fractions of a second are cut off. */
export function readGeneralizedTime(element: Element | undefined): Date {
  if (element?.tag !== GENERALIZED) throw new SigningError('signing/asn1-damaged', 'bad time')
  const text = element.content.toString('latin1').replace(/^(\d{14})\.\d{1,9}Z$/, '$1Z')
  return readTime({ ...element, content: Buffer.from(text, 'latin1') })
}

const GENERALIZED = 0x18
