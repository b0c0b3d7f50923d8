/**
 * Limits and roles that a certificate states itself, as texts for reports: amounts, professions, procuration, restrictions.
 *
 * German extensions after Common PKI part 1 (formerly ISIS-MTT; object identifiers 1.3.36.8.3.*), and QcLimitValue. They
 * change no verdict: whoever relies on the signature must read them.
 */
import { TAG, children, childrenOf, decode } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import type { Certificate } from './certificate.ts'
import { readGeneralName } from './general-name.ts'
import { amountText, readAmount } from './monetary-amount.ts'
import { readText } from './name.ts'
import type { Name } from './name.ts'
import { readQcStatements } from './qc-statements.ts'

/** For the report, in a fixed order; an extension that cannot be read is named too. */
export function certificateRestrictions(certificate: Certificate): string[] {
  const { limit } = readQcStatements(certificate)
  const own = READERS.flatMap(([id, label, read]) => {
    const extension = certificate.extensions.get(id)
    return extension === undefined ? [] : readTexts(label, () => read(decode(extension.value)))
  })
  return limit === null ? own : [`monetary limit: ${limit}`, ...own]
}

type Reader = (value: Element) => string[]

function readTexts(label: string, read: () => string[]): string[] {
  try {
    return read().map((text) => `${label}: ${text.slice(0, MAX_TEXT)}`)
  } catch (error) {
    if (error instanceof SigningError) return [`${label}: cannot be read`]
    throw error
  }
}

const directoryString: Reader = (value) => {
  const text = readText(value)
  if (text === null) throw new SigningError('signing/asn1-damaged', 'expected a text')
  return [text.trim()]
}

/** ProcurationSyntax: the signer acts for somebody. */
const procuration: Reader = (value) => {
  const fields = new Map(childrenOf(value, TAG.sequence).map((field) => [field.tag, children(field)[0]]))
  const kind = fields.get(0xa2)
  const principal = fields.get(0xa3)
  const who = principal === undefined ? 'somebody not named' : principalText(principal)
  return [kind === undefined ? who : `${who} (${directoryString(kind).join()})`]
}

/** SigningFor: a GeneralName, or the certificate of the principal by issuer and serial number. */
function principalText(principal: Element): string {
  if (principal.tag === TAG.sequence) return 'the holder of another certificate'
  const name = readGeneralName(principal)
  if (name.kind === 'directory') return nameText(name.name)
  return name.kind === 'email' || name.kind === 'uri' || name.kind === 'dns' ? name.text : 'somebody not named'
}

/** AdmissionSyntax: professions with their registration numbers. */
const admission: Reader = (value) => {
  const admissions = childrenOf(childrenOf(value, TAG.sequence).at(-1), TAG.sequence)
  return admissions.flatMap((one) => {
    const professions = childrenOf(childrenOf(one, TAG.sequence).at(-1), TAG.sequence)
    return professions.map(professionText)
  })
}

function professionText(info: Element): string {
  const fields = childrenOf(info, TAG.sequence)
  const [items] = fields.filter(({ tag }) => tag === TAG.sequence)
  const titles = childrenOf(items, TAG.sequence).flatMap(directoryString)
  const number = fields.find(({ tag }) => tag === PRINTABLE_STRING)
  return number === undefined ? titles.join(', ') : `${titles.join(', ')} (${number.content.toString('latin1')})`
}

function nameText(name: Name): string {
  const { attributes } = name
  const best = ['2.5.4.3', '2.5.4.10'].map((type) => attributes.find((attribute) => attribute.type === type))
  return (best[0] ?? best[1] ?? attributes[0])?.value ?? 'somebody not named'
}

/** NamingAuthority and the like are left out: what stands in them names the chamber, not a limit. */
const READERS: readonly (readonly [id: string, label: string, read: Reader])[] = [
  ['1.3.36.8.3.4', 'monetary limit', (value) => [amountText(readAmount(value))]],
  ['1.3.36.8.3.8', 'restriction', directoryString],
  ['1.3.36.8.3.2', 'acts for', procuration],
  ['1.3.36.8.3.3', 'profession', admission],
  ['1.3.36.8.3.15', 'additional information', directoryString],
]

const PRINTABLE_STRING = 0x13
const MAX_TEXT = 500
