/** stub */
import type { XmlElement } from '../../xml/parse.ts'
import type { Certificate } from '../certificate.ts'

export type SignatureVerdict = { kind: 'good'; signer: Certificate } | { kind: 'refused'; detail: string }

export function checkListSignature(_root: XmlElement, signers: readonly Certificate[]): SignatureVerdict {
  const [signer] = signers
  return signer ? { kind: 'good', signer } : { kind: 'refused', detail: 'x' }
}
