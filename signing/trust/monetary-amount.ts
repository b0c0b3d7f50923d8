/** Amounts of money in certificates: QcLimitValue (ETSI EN 319 412-5 §4.3.2) and MonetaryLimit (Common PKI part 9). */
import { TAG, childrenOf, expect } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'

export interface Amount {
  /** ISO 4217, letters or number */
  currency: string
  /** the amount is `value` × 10^`exponent` */
  value: bigint
  exponent: number
}

/** SEQUENCE { currency, amount, exponent }. @throws SigningError `signing/asn1-damaged` */
export function readAmount(element: Element): Amount {
  const [currency, value, exponent] = childrenOf(element, TAG.sequence)
  if (currency === undefined) throw new SigningError('signing/asn1-damaged', 'an amount without currency')
  const code = currency.tag === TAG.integer ? String(readInteger(currency)) : currency.content.toString('latin1')
  return { currency: code.slice(0, 3), value: readInteger(value), exponent: Number(readInteger(exponent)) }
}

/** `25000 EUR`; amounts that are out of all proportion stay in powers of ten. */
export function amountText({ currency, value, exponent }: Amount): string {
  if (exponent === 0) return `${String(value)} ${currency}`
  if (exponent < 0 || exponent > 15) return `${String(value)}e${exponent} ${currency}`
  return `${String(value * 10n ** BigInt(exponent))} ${currency}`
}

function readInteger(element: Element | undefined): bigint {
  const { content } = expect(element, TAG.integer)
  if (content.length === 0 || content.length > 16) throw new SigningError('signing/asn1-damaged', 'bad amount')
  return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex')}`))
}
