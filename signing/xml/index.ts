/** XML for messages from strangers: reading, canonical form, signature, encryption. */
export { SHA256 } from './algorithms.ts'
export { canonicalText, canonicalize, escapeAttribute, escapeText } from './c14n.ts'
export {
  SEAL_METHOD_TEXT,
  XENC_NAMESPACE,
  encryptedKeyText,
  openBytes,
  openSealed,
  readEncryptedData,
  sealBytes,
} from './encryption.ts'
export type { CipherPolicy, ReadEncryptedData, SealMethod } from './encryption.ts'
export { attributeOf, base64Of, childElements, isNamed, optionalChild, textOf } from './find.ts'
export { parseXml } from './parse.ts'
export type { XmlElement, XmlLimits } from './parse.ts'
export {
  DSIG_NAMESPACE,
  composeSignature,
  readSignature,
  signatureValueHolds,
  wrappedBase64,
  xmlDigest,
} from './signature.ts'
export type { ReadSignature, XmlReference } from './signature.ts'
