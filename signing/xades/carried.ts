/**
 * Everything in a part of a signature that can serve as evidence or be proven by a time-stamp: certificates, CRLs, OCSP
 * answers, time-stamp tokens with what is in them, values of counter-signatures (ETSI EN 319 132-1 §5.4, §5.5, annex A).
 *
 * By the names of the elements, wherever they stand: CertificateValues, RevocationValues, TimeStampValidationData,
 * AnyValidationData and their like. Nothing here is trusted; what cannot be read is not there.
 */
import { idsOf, objectsInToken } from '../cms/carried.ts'
import type { CarriedObject } from '../cms/carried.ts'
import { decodeBase64 } from '../xml/base64.ts'
import { elementsOf } from '../xml/ids.ts'
import { DSIG_NAMESPACE } from '../xml/namespaces.ts'
import type { XmlElement } from '../xml/tree.ts'
import { plainText } from './claims.ts'
import { isXades } from './properties.ts'

/** All of an element and what is in it; looked for once, every time-stamp behind it asks. */
export function objectsWithin(root: XmlElement): readonly CarriedObject[] {
  const found = known.get(root) ?? readObjects(root)
  known.set(root, found)
  return found
}

const known = new WeakMap<XmlElement, readonly CarriedObject[]>()

/** The names of all of them. */
export function idsWithin(root: XmlElement): readonly string[] {
  const found = named.get(root) ?? idsOf(objectsWithin(root))
  named.set(root, found)
  return found
}

const named = new WeakMap<XmlElement, readonly string[]>()

function readObjects(root: XmlElement): CarriedObject[] {
  const found: CarriedObject[] = []
  for (const element of elementsOf(root)) {
    const kind = kindOf(element)
    const bytes = kind === null ? null : decodeBase64(plainText(element))
    if (kind === null || bytes === null || bytes.length === 0) continue
    found.push(...(kind === 'token' ? objectsInToken(bytes) : [{ kind, bytes }]))
    if (found.length > MAX_OBJECTS) break
  }
  return found
}

function kindOf(element: XmlElement): CarriedObject['kind'] | null {
  if (element.namespace === DSIG_NAMESPACE) return IN_DSIG.get(element.local) ?? null
  const kind = IN_XADES.get(element.local) ?? null
  return kind !== null && isXades(element, element.local) ? kind : null
}

const IN_DSIG: ReadonlyMap<string, CarriedObject['kind']> = new Map([
  ['X509Certificate', 'certificate'],
  ['X509CRL', 'crl'],
  ['SignatureValue', 'value'],
])
const IN_XADES: ReadonlyMap<string, CarriedObject['kind']> = new Map([
  ['EncapsulatedX509Certificate', 'certificate'],
  ['EncapsulatedCRLValue', 'crl'],
  ['EncapsulatedOCSPValue', 'ocsp'],
  ['EncapsulatedTimeStamp', 'token'],
])
const MAX_OBJECTS = 5000
