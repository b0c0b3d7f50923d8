/** How a detached CMS signature of ours holds over a content, by the facts of the validation; nobody is trusted. */
import { readCmsFacts } from '../../cms/document.ts'
import { bufferAccess } from '../../index.ts'
import type { SignatureFaultCode } from '../../validation/facts.ts'

/** DER of the signer's certificate where it holds, else what is wrong. */
export async function signerOf(cms: Buffer, content: Buffer): Promise<Buffer | SignatureFaultCode[]> {
  const { signatures } = await readCmsFacts(cms, bufferAccess(content))
  const [signature, ...more] = signatures
  if (signature === undefined || more.length > 0) return ['format']
  const faults = signature.faults.map(({ code }) => code)
  return faults.length === 0 && signature.certificate !== null ? signature.certificate.der : faults
}
