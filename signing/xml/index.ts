/** XML for messages from strangers: reading, canonical form, signature, encryption. */
export { AES256_GCM, SHA256 } from './algorithms.ts'
export { canonicalText, canonicalize, escapeAttribute, escapeText } from './c14n.ts'
export type { CanonicalOptions } from './c14n.ts'
export {
  SEAL_METHOD_TEXT,
  XENC_NAMESPACE,
  encryptedKeyText,
  openBytes,
  openSealed,
  readEncryptedData,
  sealBytes,
} from './encryption.ts'
export type { CipherPolicy, KeyReceiver, ReadEncryptedData, SealMethod, Sealed, WrappedKey } from './encryption.ts'
export { attributeOf, base64Of, childElements, isNamed, optionalChild, requiredChild, textOf } from './find.ts'
export { parseXml } from './parse.ts'
export type { XmlAttribute, XmlElement, XmlLimits } from './parse.ts'
export {
  DSIG_NAMESPACE,
  composeSignature,
  readSignature,
  signatureValueHolds,
  wrappedBase64,
  xmlDigest,
} from './signature.ts'
export type { ReadSignature, SignatureParts, XmlReference } from './signature.ts'
