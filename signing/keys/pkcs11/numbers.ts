/** Numbers of PKCS#11 v2.40 (OASIS, Cryptographic Token Interface Base Specification and Current Mechanisms) that we use. */

/** Object classes, §4.2. */
export const CKO = { certificate: 1, publicKey: 2, privateKey: 3 } as const
/** Attributes, §4.4 to §4.9. */
export const CKA = {
  class: 0x000,
  token: 0x001,
  private: 0x002,
  label: 0x003,
  value: 0x011,
  certificateType: 0x080,
  subject: 0x101,
  id: 0x102,
  keyType: 0x100,
  sensitive: 0x103,
  sign: 0x108,
  verify: 0x10a,
  modulusBits: 0x121,
  publicExponent: 0x122,
  extractable: 0x162,
  ecParams: 0x180,
  ecPoint: 0x181,
  modulus: 0x120,
  alwaysAuthenticate: 0x202,
} as const
/** Key types, §4.6. */
export const CKK = { rsa: 0, ec: 3 } as const
/** Mechanisms: those that take a digest, so that the token sees no more than that. */
export const CKM = {
  rsaKeyPair: 0x0000,
  rsaPkcs: 0x0001,
  rsaPss: 0x000d,
  ecKeyPair: 0x1040,
  ecdsa: 0x1041,
} as const
/** Hash and mask of RSASSA-PSS, §2.1.7 of the mechanisms. */
export const PSS_NUMBERS = {
  sha256: { hash: 0x250, mask: 2, salt: 32 },
  sha384: { hash: 0x260, mask: 3, salt: 48 },
  sha512: { hash: 0x270, mask: 4, salt: 64 },
} as const
/** Users, §3.4. */
export const CKU = { user: 1, contextSpecific: 2 } as const
/** Flags of tokens and sessions, §3.2 and §3.3. */
export const CKF = {
  readWrite: 0x2,
  serial: 0x4,
  loginRequired: 0x4,
  userPinFinalTry: 0x20000,
  userPinLocked: 0x40000,
} as const
/** Return values, §5.1. */
export const CKR = {
  ok: 0x000,
  deviceError: 0x030,
  deviceRemoved: 0x032,
  keyHandleInvalid: 0x060,
  objectHandleInvalid: 0x082,
  pinIncorrect: 0x0a0,
  pinInvalid: 0x0a1,
  pinLengthRange: 0x0a2,
  pinExpired: 0x0a3,
  pinLocked: 0x0a4,
  sessionClosed: 0x0b0,
  sessionHandleInvalid: 0x0b3,
  tokenNotPresent: 0x0e0,
  userAlreadyLoggedIn: 0x100,
  userNotLoggedIn: 0x101,
  alreadyInitialized: 0x191,
} as const

/** The session or the token went away; opening it again may help. */
export const LOST: ReadonlySet<number> = new Set([
  CKR.deviceRemoved,
  CKR.keyHandleInvalid,
  CKR.objectHandleInvalid,
  CKR.sessionClosed,
  CKR.sessionHandleInvalid,
  CKR.tokenNotPresent,
  CKR.userNotLoggedIn,
])

/** The token refuses the PIN; another try may lock it. */
export const PIN_REFUSED: ReadonlySet<number> = new Set([
  CKR.pinIncorrect,
  CKR.pinInvalid,
  CKR.pinLengthRange,
  CKR.pinExpired,
  CKR.pinLocked,
])
