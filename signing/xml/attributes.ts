/**
 * Splits the attributes of a start tag into namespace declarations and real attributes (Namespaces in XML 1.0 §3, §6).
 */
import { SigningError } from '../errors.ts'

export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/'

export interface XmlAttribute {
  prefix: string
  local: string
  /** '' for an attribute without prefix */
  namespace: string
  value: string
}

interface SplitAttributes {
  declarations: ReadonlyMap<string, string>
  scope: ReadonlyMap<string, string>
  attributes: readonly XmlAttribute[]
}

/**
 * Resolves the attributes of one start tag against the namespaces of its parent.
 *
 * @throws SigningError `signing/xml-malformed` undeclared or misused prefixes, an attribute twice
 */
export function splitAttributes(raw: XmlAttribute[], inherited: ReadonlyMap<string, string>): SplitAttributes {
  // most elements have none: a hundred thousand of them share what is empty
  if (raw.length === 0) return { declarations: NO_DECLARATIONS, scope: inherited, attributes: NO_ATTRIBUTES }
  const declarations = new Map<string, string>()
  for (const attribute of raw) {
    const prefix = declaredPrefix(attribute)
    if (prefix === null) continue
    if (declarations.has(prefix)) throw malformed('a namespace declared twice')
    checkDeclaration(prefix, attribute.value)
    declarations.set(prefix, attribute.value)
  }
  const scope = declarations.size === 0 ? inherited : scopeWith(inherited, declarations)
  const attributes = raw.filter((a) => declaredPrefix(a) === null).map((a) => resolve(a, scope))
  const names = new Set(attributes.map((a) => `${a.namespace} ${a.local}`))
  if (names.size !== attributes.length) throw malformed('an attribute twice')
  return { declarations: declarations.size === 0 ? NO_DECLARATIONS : declarations, scope, attributes }
}

const NO_DECLARATIONS: ReadonlyMap<string, string> = new Map()
const NO_ATTRIBUTES: readonly XmlAttribute[] = []

function scopeWith(inherited: ReadonlyMap<string, string>, declarations: ReadonlyMap<string, string>) {
  const scope = new Map(inherited)
  for (const [prefix, uri] of declarations) scope.set(prefix, uri)
  return scope
}

function declaredPrefix(attribute: XmlAttribute): string | null {
  if (attribute.prefix === 'xmlns') return attribute.local
  return attribute.prefix === '' && attribute.local === 'xmlns' ? '' : null
}

function checkDeclaration(prefix: string, uri: string): void {
  if (prefix === 'xml' || prefix === 'xmlns') throw malformed('a reserved prefix is declared')
  if (uri === XML_NAMESPACE || uri === XMLNS_NAMESPACE) throw malformed('a reserved namespace is declared')
  if (uri === '' && prefix !== '') throw malformed('a prefix is undeclared')
}

function resolve(attribute: XmlAttribute, scope: ReadonlyMap<string, string>): XmlAttribute {
  if (attribute.prefix === '') return attribute
  const namespace = attribute.prefix === 'xml' ? XML_NAMESPACE : scope.get(attribute.prefix)
  if (namespace === undefined) throw malformed('an undeclared prefix')
  return { ...attribute, namespace }
}

function malformed(what: string): SigningError {
  return new SigningError('signing/xml-malformed', `not well-formed: ${what}`)
}
