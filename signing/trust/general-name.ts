/**
 * GeneralName (RFC 5280 §4.2.1.6): the names in alternative names, constraints and distribution points.
 */
import { decode } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { parseName } from './name.ts'
import type { Name } from './name.ts'

export type GeneralName =
  | { readonly kind: 'directory'; readonly name: Name }
  | { readonly kind: 'email' | 'dns' | 'uri'; readonly text: string }
  | { readonly kind: 'ip'; readonly bytes: Buffer }
  /** a form that is only compared byte by byte; `tag` tells which */
  | { readonly kind: 'other'; readonly tag: number; readonly encoding: Buffer }

/** @throws SigningError `signing/asn1-damaged` */
export function readGeneralName(element: Element): GeneralName {
  switch (element.tag) {
    case 0xa4: // a CHOICE below an implicit tag keeps its own tag inside
      return { kind: 'directory', name: parseName(decode(element.content)) }
    case 0x81:
      return { kind: 'email', text: element.content.toString('latin1') }
    case 0x82:
      return { kind: 'dns', text: element.content.toString('latin1') }
    case 0x86:
      return { kind: 'uri', text: element.content.toString('latin1') }
    case 0x87:
      return { kind: 'ip', bytes: element.content }
    default:
      return { kind: 'other', tag: element.tag, encoding: element.encoding }
  }
}

/** Equal for equal names: how names of distribution points are compared. */
export function generalNameKey(name: GeneralName): string {
  switch (name.kind) {
    case 'directory':
      return `directory:${name.name.key}`
    case 'email':
    case 'dns':
    case 'uri':
      return `${name.kind}:${name.text}`
    case 'ip':
      return `ip:${name.bytes.toString('hex')}`
    case 'other':
      return `other:${name.encoding.toString('hex')}`
  }
}
