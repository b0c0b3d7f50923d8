/**
 * Reading a parsed document strictly: children by namespace and name, text, base64.
 */
import { SigningError } from '../errors.ts'
import type { XmlElement } from './parse.ts'

/** Child elements in document order; text between them must be white space. */
export function childElements(element: XmlElement): XmlElement[] {
  const found: XmlElement[] = []
  for (const child of element.children) {
    if (typeof child !== 'string') found.push(child)
    else if (/[^ \t\r\n]/.test(child)) throw malformed('text between elements')
  }
  return found
}

/** Whether the element has this expanded name. */
export function isNamed(element: XmlElement, namespace: string, local: string): boolean {
  return element.local === local && element.namespace === namespace
}

/**
 * The one child of this name, or null when there is none.
 *
 * @throws SigningError `signing/xml-malformed` the child stands there twice
 */
export function optionalChild(element: XmlElement, namespace: string, local: string): XmlElement | null {
  const found = childElements(element).filter((child) => isNamed(child, namespace, local))
  if (found.length > 1) throw malformed('an element twice')
  return found[0] ?? null
}

/**
 * The one child of this name.
 *
 * @throws SigningError `signing/xml-malformed` it is absent or stands there twice
 */
export function requiredChild(element: XmlElement, namespace: string, local: string): XmlElement {
  const found = optionalChild(element, namespace, local)
  if (!found) throw malformed('a required element is absent')
  return found
}

/** The value of an attribute without namespace, or null. */
export function attributeOf(element: XmlElement, local: string): string | null {
  return element.attributes.find((a) => a.namespace === '' && a.local === local)?.value ?? null
}

/**
 * The text of an element that holds nothing else.
 *
 * @throws SigningError `signing/xml-malformed` it has child elements
 */
export function textOf(element: XmlElement): string {
  return element.children.map((child) => (typeof child === 'string' ? child : throwMixed())).join('')
}

/** The decoded base64 text of an element; characters outside the alphabet are line breaks and skipped. */
export function base64Of(element: XmlElement): Buffer {
  return Buffer.from(textOf(element), 'base64')
}

function throwMixed(): never {
  throw malformed('elements in text')
}

function malformed(what: string): SigningError {
  return new SigningError('signing/xml-malformed', `unexpected structure: ${what}`)
}
