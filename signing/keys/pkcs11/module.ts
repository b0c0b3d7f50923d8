/**
 * Loads a PKCS#11 v2.40 module and calls its functions by name, by koffi: no compiler, every call blocks.
 *
 * For 64-bit Linux, FreeBSD and macOS, where CK_ULONG and pointers have eight bytes.
 */
import koffi from 'koffi'
import { SigningError } from '../../errors.ts'
import { CKR } from './numbers.ts'

/** A return value other than CKR_OK. */
export class CryptokiError extends Error {
  override readonly name = 'CryptokiError'
  readonly rv: number

  constructor(call: string, rv: number) {
    super(`${call} answered 0x${rv.toString(16)}`)
    this.rv = rv
  }
}

export type Argument = bigint | number | Buffer | null
type Native = (...values: Argument[]) => number | bigint
export type Call = (name: keyof typeof FUNCTIONS, ...values: Argument[]) => void

/**
 * Loads a module and initialises it; both are done once in a process, however often this is called.
 *
 * @param path of the vendor's shared library
 * @returns what calls a function of it and throws CryptokiError unless the answer is CKR_OK
 * @throws SigningError `signing/key-unavailable`
 */
export function loadModule(path: string): Call {
  if (koffi.sizeof('unsigned long') !== ULONG || koffi.sizeof('void *') !== ULONG) {
    throw new SigningError('signing/key-unavailable', 'PKCS#11 works on 64-bit Linux, FreeBSD and macOS only')
  }
  const list = functionList(path)
  const ready = new Map<string, Native>()

  function call(name: keyof typeof FUNCTIONS, ...values: Argument[]): void {
    const { at, shape } = FUNCTIONS[name]
    const native = ready.get(name) ?? decodeFunction(list, at, shape)
    ready.set(name, native)
    const rv = Number(native(...values))
    if (rv !== CKR.ok) throw new CryptokiError(name, rv)
  }

  initialize(call)
  return call
}

function decodeFunction(list: unknown, at: number, shape: string): Native {
  const pointer = koffi.decode(list, ULONG * (1 + at), 'void *') as unknown
  const types = Array.from(shape, (letter) => SHAPES[letter] ?? '')
  return koffi.decode(pointer, koffi.proto('unsigned long', types)) as Native
}

function functionList(path: string): unknown {
  try {
    // Node exports the OpenSSL that is linked into it, and the loader would give that to the module, too: `deep` keeps the
    // module to the libraries it was built against (dlopen(3), RTLD_DEEPBIND).
    const get = koffi.load(path, { deep: true }).func('unsigned long C_GetFunctionList(_Out_ void **list)')
    stayLoaded(path)
    const out: unknown[] = [null]
    const rv = Number(get(out))
    if (rv === CKR.ok) return out[0]
    throw new CryptokiError('C_GetFunctionList', rv)
  } catch (cause) {
    throw new SigningError('signing/key-unavailable', 'the PKCS#11 module cannot be loaded', { cause })
  }
}

/**
 * A handle that is never closed keeps the module in memory. koffi lets go of a library when `koffi.load` is garbage or its
 * thread ends: the pointers of the list would lead nowhere, and threads that the module started would lose their code.
 */
function stayLoaded(path: string): void {
  koffi.load(null).func('void *dlopen(const char *path, int flags)')(path, RTLD_NOW)
}

/** CKF_OS_LOCKING_OK: several threads of this process call the module. */
function initialize(call: Call): void {
  const locking = Buffer.alloc(6 * ULONG)
  locking.writeBigUInt64LE(2n, 4 * ULONG)
  try {
    call('C_Initialize', locking)
  } catch (error) {
    if (error instanceof CryptokiError && error.rv === CKR.alreadyInitialized) return
    throw new SigningError('signing/key-unavailable', 'the PKCS#11 module cannot be initialised', { cause: error })
  }
}

/** size of CK_ULONG and of a pointer, in bytes */
export const ULONG = 8
/** of dlfcn.h; the same on Linux, FreeBSD and macOS */
const RTLD_NOW = 2

/** Letter of a shape to type of an argument: number (CK_ULONG), byte (CK_BBOOL), pointer. */
const SHAPES: Partial<Record<string, string>> = { n: 'unsigned long', b: 'uint8_t', p: 'void *' }

/** Position in CK_FUNCTION_LIST, counted from the function after its version, and the arguments. */
const FUNCTIONS = {
  C_Initialize: { at: 0, shape: 'p' },
  C_GetSlotList: { at: 4, shape: 'bpp' },
  C_GetTokenInfo: { at: 6, shape: 'np' },
  C_OpenSession: { at: 12, shape: 'nnppp' },
  C_CloseSession: { at: 13, shape: 'n' },
  C_CloseAllSessions: { at: 14, shape: 'n' },
  C_Login: { at: 18, shape: 'nnpn' },
  C_CreateObject: { at: 20, shape: 'npnp' },
  C_GetAttributeValue: { at: 24, shape: 'nnpn' },
  C_FindObjectsInit: { at: 26, shape: 'npn' },
  C_FindObjects: { at: 27, shape: 'npnp' },
  C_FindObjectsFinal: { at: 28, shape: 'n' },
  C_SignInit: { at: 42, shape: 'npn' },
  C_Sign: { at: 43, shape: 'npnpp' },
  C_GenerateKeyPair: { at: 59, shape: 'nppnpnpp' },
} as const
