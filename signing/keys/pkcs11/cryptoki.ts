/**
 * The functions of a PKCS#11 v2.40 module (module.ts) with values of JavaScript. Structures are laid out here by hand in
 * Buffers, whose memory does not move while they are referenced. Knows no policy: what to call when is session.ts.
 */
import koffi from 'koffi'
import { CryptokiError, ULONG, loadModule } from './module.ts'
import type { Call } from './module.ts'
import { CKF } from './numbers.ts'

export interface Attribute {
  type: number
  value: Buffer
}

export interface Mechanism {
  type: number
  parameter?: Buffer
}

export interface TokenInfo {
  label: string
  serial: string
  flags: number
}

/** Handles are opaque numbers. Every function throws CryptokiError. */
export type Cryptoki = Sessions & Objects

interface Sessions {
  /** Slots with a token in them. */
  slots(): bigint[]
  tokenInfo(slot: bigint): TokenInfo
  openSession(slot: bigint, flags?: number): bigint
  closeSession(session: bigint): void
  closeAllSessions(slot: bigint): void
  login(session: bigint, user: number, pin: string): void
}

interface Objects {
  /** At most `most` objects with these attributes. */
  find(session: bigint, attributes: readonly Attribute[], most: number): bigint[]
  /** Null when the object has no such attribute, or does not give it away. */
  attribute(session: bigint, object: bigint, type: number): Buffer | null
  /**
   * @param request `mechanism` by mechanismOf; `between` is called when the operation is begun: a key may want its PIN there
   */
  sign(session: bigint, key: bigint, request: { mechanism: Buffer; data: Buffer; between?: () => void }): Buffer
  /** @returns the handle of the private key */
  generateKeyPair(
    session: bigint,
    mechanism: Mechanism,
    attributes: { publicKey: readonly Attribute[]; privateKey: readonly Attribute[] },
  ): bigint
  createObject(session: bigint, attributes: readonly Attribute[]): bigint
}

/**
 * @param path of the vendor's shared library
 * @throws SigningError `signing/key-unavailable`
 */
export function loadCryptoki(path: string): Cryptoki {
  const call = loadModule(path)
  return { ...sessions(call), ...objects(call) }
}

function sessions(call: Call): Sessions {
  return {
    slots: () => {
      const count = ulong(0n)
      call('C_GetSlotList', 1, null, count)
      const list = Buffer.alloc(Number(count.readBigUInt64LE()) * ULONG)
      call('C_GetSlotList', 1, list, count)
      return handles(list, Number(count.readBigUInt64LE()))
    },
    tokenInfo: (slot) => {
      const info = Buffer.alloc(256)
      call('C_GetTokenInfo', slot, info)
      return {
        label: paddedText(info, 0, 32),
        serial: paddedText(info, 80, 16),
        flags: Number(info.readBigUInt64LE(96)),
      }
    },
    openSession: (slot, flags = 0) => {
      const session = ulong(0n)
      call('C_OpenSession', slot, flags | CKF.serial, null, null, session)
      return session.readBigUInt64LE()
    },
    closeSession: (session) => {
      call('C_CloseSession', session)
    },
    closeAllSessions: (slot) => {
      call('C_CloseAllSessions', slot)
    },
    login: (session, user, pin) => {
      const bytes = Buffer.from(pin, 'utf8')
      try {
        call('C_Login', session, user, bytes, bytes.length)
      } finally {
        bytes.fill(0)
      }
    },
  }
}

/** Fixed fields are padded with blanks, by some tokens with zeros. */
function paddedText(bytes: Buffer, from: number, length: number): string {
  return bytes
    .toString('utf8', from, from + length)
    .replace(/\0/g, '')
    .trimEnd()
}

function objects(call: Call): Objects {
  /** used again and again: new ones for each signature keep the garbage collector busy */
  const [signature, signatureLength] = [Buffer.alloc(MAX_SIGNATURE_BYTES), ulong(0n)]
  return {
    find: (session, attributes, most) => {
      call('C_FindObjectsInit', session, templateOf(attributes), attributes.length)
      const found = Buffer.alloc(most * ULONG)
      const count = ulong(0n)
      try {
        call('C_FindObjects', session, found, most, count)
      } finally {
        call('C_FindObjectsFinal', session)
      }
      return handles(found, Number(count.readBigUInt64LE()))
    },
    attribute: (session, object, type) => {
      const room = Buffer.alloc(MAX_ATTRIBUTE_BYTES)
      const template = templateOf([{ type, value: room }])
      try {
        call('C_GetAttributeValue', session, object, template, 1)
      } catch (error) {
        if (error instanceof CryptokiError && NO_ATTRIBUTE.has(error.rv)) return null
        throw error
      }
      const length = template.readBigUInt64LE(2 * ULONG)
      return length > BigInt(room.length) ? null : Buffer.from(room.subarray(0, Number(length)))
    },
    sign: (session, key, { mechanism, data, between }) => {
      call('C_SignInit', session, mechanism, key)
      between?.()
      signatureLength.writeBigUInt64LE(BigInt(signature.length))
      call('C_Sign', session, data, data.length, signature, signatureLength)
      return Buffer.from(signature.subarray(0, Number(signatureLength.readBigUInt64LE())))
    },
    generateKeyPair: (session, mechanism, { publicKey, privateKey }) => {
      const [publicHandle, privateHandle] = [ulong(0n), ulong(0n)]
      const templates = [templateOf(publicKey), publicKey.length, templateOf(privateKey), privateKey.length]
      call('C_GenerateKeyPair', session, mechanismOf(mechanism), ...templates, publicHandle, privateHandle)
      return privateHandle.readBigUInt64LE()
    },
    createObject: (session, attributes) => {
      const handle = ulong(0n)
      call('C_CreateObject', session, templateOf(attributes), attributes.length, handle)
      return handle.readBigUInt64LE()
    },
  }
}

/** CK_ATTRIBUTE[]: type, pointer, length. The values stay in memory as long as the template does. */
function templateOf(attributes: readonly Attribute[]): Buffer {
  const template = Buffer.alloc(attributes.length * 3 * ULONG)
  attributes.forEach(({ type, value }, index) => {
    template.writeBigUInt64LE(BigInt(type), index * 3 * ULONG)
    template.writeBigUInt64LE(BigInt(value.length), (index * 3 + 2) * ULONG)
    if (value.length === 0) return
    template.writeBigUInt64LE(koffi.address(value), (index * 3 + 1) * ULONG)
    held.set(template, attributes)
  })
  return template
}

const held = new WeakMap<Buffer, readonly Attribute[]>()

/** CK_MECHANISM: type, pointer, length. Can be used often. */
export function mechanismOf({ type, parameter }: Mechanism): Buffer {
  return templateOf([{ type, value: parameter ?? EMPTY }])
}

/** CK_ULONG in memory. */
export function ulong(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(ULONG)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function handles(list: Buffer, count: number): bigint[] {
  return Array.from({ length: Math.min(count, list.length / ULONG) }, (_, index) => list.readBigUInt64LE(index * ULONG))
}

const MAX_ATTRIBUTE_BYTES = 64 * 1024
const MAX_SIGNATURE_BYTES = 4096
const EMPTY = Buffer.alloc(0)
/** CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL */
const NO_ATTRIBUTE: ReadonlySet<number> = new Set([0x11, 0x12, 0x150])
