/**
 * Name constraints (RFC 5280 §4.2.1.10, §6.1.3 b–c, §6.1.4 g): which names a CA may give.
 *
 * Permitted subtrees of several CAs are all to be met, excluded ones add up. A constraint on a form of name that cannot
 * be compared here forbids every name of that form.
 */
import type { Certificate } from './certificate.ts'
import { readAlternativeNames, readNameConstraints } from './extensions.ts'
import type { NameConstraints } from './extensions.ts'
import type { GeneralName } from './general-name.ts'
import { isWithin } from './name.ts'

/** Does a certificate bear only names that these constraints allow? */
export function namesAllowed(certificate: Certificate, constraints: readonly NameConstraints[]): boolean {
  if (constraints.length === 0) return true
  const names = namesOf(certificate)
  const rules = constraints.reduce((sum, { permitted, excluded }) => sum + permitted.length + excluded.length, 0)
  if (names.length * rules > MAX_COMPARISONS) return false
  return names.every((name) => constraints.every((constraint) => allows(constraint, name)))
}

/** The constraints that a CA certificate adds; null when it has none. */
export const constraintsOf = readNameConstraints

function allows({ permitted, excluded }: NameConstraints, name: GeneralName): boolean {
  if (excluded.some((base) => sameForm(base, name) && matches(name, base) !== 'outside')) return false
  const relevant = permitted.filter((base) => sameForm(base, name))
  return relevant.length === 0 || relevant.some((base) => matches(name, base) === 'inside')
}

function namesOf(certificate: Certificate): GeneralName[] {
  const { subject } = certificate
  const directory: GeneralName[] = subject.relativeNames.length === 0 ? [] : [{ kind: 'directory', name: subject }]
  // §4.2.1.10: an e-mail address in the subject counts like one among the alternative names
  const emails = subject.attributes
    .filter(({ type }) => type === EMAIL_ADDRESS)
    .map(({ value }): GeneralName => ({ kind: 'email', text: value }))
  return [...directory, ...emails, ...readAlternativeNames(certificate)]
}

function sameForm(base: GeneralName, name: GeneralName): boolean {
  if (base.kind === 'other' && name.kind === 'other') return base.tag === name.tag
  return base.kind === name.kind
}

/** `unclear`: not comparable; then neither permitted nor safe from being excluded */
function matches(name: GeneralName, base: GeneralName): 'inside' | 'outside' | 'unclear' {
  if (name.kind === 'directory' && base.kind === 'directory') return side(isWithin(name.name, base.name))
  if (name.kind === 'ip' && base.kind === 'ip') return ipMatches(name.bytes, base.bytes)
  if (name.kind === 'email' && base.kind === 'email') return emailMatches(name.text, base.text)
  if (name.kind === 'dns' && base.kind === 'dns') return side(domainMatches(name.text, base.text))
  if (name.kind === 'uri' && base.kind === 'uri') return uriMatches(name.text, base.text)
  return 'unclear'
}

const side = (inside: boolean): 'inside' | 'outside' => (inside ? 'inside' : 'outside')

/** Adding labels on the left keeps a name inside; a leading dot demands at least one more label. */
function domainMatches(name: string, base: string): boolean {
  const domain = base.toLowerCase()
  const host = name.toLowerCase().replace(/\.$/, '')
  if (domain === '') return true
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`)
}

/** A mailbox, a host (all its mailboxes) or, with a leading dot, a domain (all its hosts). */
function emailMatches(name: string, base: string): 'inside' | 'outside' | 'unclear' {
  const [local, host] = splitMailbox(name)
  if (host === null) return 'unclear'
  if (!base.includes('@')) return side(hostMatches(host, base))
  const [baseLocal, baseHost] = splitMailbox(base)
  // RFC 5321 §2.4: the local part depends on case, the host does not
  return side(local === baseLocal && host.toLowerCase() === baseHost?.toLowerCase())
}

function uriMatches(name: string, base: string): 'inside' | 'outside' | 'unclear' {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#:@[\]]+)(?::\d*)?(?:[/?#]|$)/i.exec(name)?.[1]
  // §4.2.1.10: a URI whose authority is no host name is rejected when a constraint applies
  if (host === undefined || /^[\d.]+$/.test(host)) return 'unclear'
  return side(hostMatches(host, base))
}

function hostMatches(host: string, base: string): boolean {
  const domain = base.toLowerCase()
  return domain.startsWith('.') ? host.toLowerCase().endsWith(domain) : domain === '' || host.toLowerCase() === domain
}

function splitMailbox(text: string): [string, string | null] {
  const at = text.lastIndexOf('@')
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}

/** Address and mask, 4 + 4 or 16 + 16 bytes. */
function ipMatches(address: Buffer, base: Buffer): 'inside' | 'outside' | 'unclear' {
  if (![4, 16].includes(address.length) || ![8, 32].includes(base.length)) return 'unclear'
  const size = base.length / 2
  if (address.length !== size) return 'outside'
  return side(address.every((byte, at) => ((byte ^ (base[at] ?? 0)) & (base[size + at] ?? 0)) === 0))
}

const EMAIL_ADDRESS = '1.2.840.113549.1.9.1'
const MAX_COMPARISONS = 100_000
