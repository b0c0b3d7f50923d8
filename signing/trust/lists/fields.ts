/**
 * Elements, texts and times of a trusted list.
 *
 * Extensions may hold text between elements, so nothing here minds text that nobody asks for.
 */
import { SigningError } from '../../errors.ts'
import { XML_NAMESPACE } from '../../xml/attributes.ts'
import { isNamed } from '../../xml/find.ts'
import type { XmlElement } from '../../xml/parse.ts'
import { parseCertificate } from '../certificate.ts'
import type { Certificate } from '../certificate.ts'
import { TSL_NAMESPACE } from './uris.ts'

/** Child elements in document order, whatever stands between them. */
export function elementsOf(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => typeof child !== 'string')
}

/** The children of this name in the namespace of trusted lists; none of an absent parent. */
export function all(parent: XmlElement | null, local: string): XmlElement[] {
  return parent === null ? [] : elementsOf(parent).filter((child) => isNamed(child, TSL_NAMESPACE, local))
}

/** The one child of this name, or null. @throws SigningError `signing/xml-malformed` it stands there twice */
export function one(parent: XmlElement | null, local: string): XmlElement | null {
  const found = all(parent, local)
  if (found.length > 1) throw malformed(`${local} twice`)
  return found[0] ?? null
}

/** @throws SigningError `signing/xml-malformed` absent or twice */
export function needed(parent: XmlElement, local: string): XmlElement {
  const found = one(parent, local)
  if (found === null) throw malformed(`${local} is absent`)
  return found
}

/** The text of an element without white space around it; empty when there is no element. */
export function plainText(element: XmlElement | null): string {
  return element === null
    ? ''
    : element.children
        .filter((child) => typeof child === 'string')
        .join('')
        .trim()
}

/** A whole number without sign. @throws SigningError `signing/xml-malformed` */
export function wholeNumber(element: XmlElement): number {
  const text = plainText(element)
  if (!/^\d{1,15}$/.test(text)) throw malformed(`${element.local} is no number`)
  return Number(text)
}

/** xsd:dateTime with a zone. @throws SigningError `signing/xml-malformed` */
export function dateTime(element: XmlElement): Date {
  const text = plainText(element)
  const at = DATE_TIME.test(text) ? new Date(text) : null
  if (at === null || Number.isNaN(at.getTime())) throw malformed(`${element.local} is no time with a zone`)
  return at
}

/** Name of a multilingual element: the English one, else the first. */
export function englishName(parent: XmlElement | null): string {
  const names = all(parent, 'Name')
  const isEnglish = (name: XmlElement): boolean =>
    name.attributes.some((a) => a.namespace === XML_NAMESPACE && a.local === 'lang' && a.value.toLowerCase() === 'en')
  return plainText(names.find(isEnglish) ?? names[0] ?? null).replace(/\s+/g, ' ')
}

/** Certificates of a ServiceDigitalIdentity (§5.5.3); one that cannot be read stands for nobody. */
export function certificatesOf(identity: XmlElement | null): Certificate[] {
  return all(identity, 'DigitalId').flatMap((id) => all(id, 'X509Certificate').flatMap(readableCertificate))
}

function readableCertificate(element: XmlElement): Certificate[] {
  try {
    return [parseCertificate(Buffer.from(plainText(element), 'base64'))]
  } catch (error) {
    if (error instanceof SigningError) return []
    throw error
  }
}

export function malformed(what: string): SigningError {
  return new SigningError('signing/xml-malformed', `no trusted list: ${what}`)
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/
