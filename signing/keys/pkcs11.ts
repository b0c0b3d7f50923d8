/**
 * A SigningKey in a hardware token, by its PKCS#11 module: a pool of sessions, each in a thread of its own, because calls
 * of the module block.
 *
 * Messages wait in one queue of batches; a free session takes the next, hashes and signs. That key and certificate belong
 * together is proved whenever a session is opened. One that is lost is opened again once, one after the other; a refused
 * PIN stops the whole key for good.
 */
import { X509Certificate } from 'node:crypto'
import { readCertificate } from '../certificate.ts'
import { SigningError } from '../errors.ts'
import { chosenAlgorithm, signatureBytes } from './algorithms.ts'
import { SessionPool, asFault } from './pkcs11/session-pool.ts'
import { startSessionThread } from './pkcs11/session-thread.ts'
import type { TokenPlace } from './pkcs11/session.ts'
import type { OpenedKey, SignatureAlgorithm, SigningKey } from './signing-key.ts'

export interface Pkcs11Options extends TokenPlace {
  /** DER, own certificate first; needed where the token holds none. What is given goes before what the token holds. */
  certificates?: readonly Buffer[]
  /** what the key signs with; default by its kind */
  algorithm?: SignatureAlgorithm
  /** most sessions at the same time; default 2 */
  sessions?: number
  /** longest wait for one answer of the token; default 30 s */
  timeoutMs?: number
}

/**
 * Opens the token, logs in and finds the key.
 *
 * @throws SigningError `signing/key-unavailable` module, token, key or certificate are not there or not one;
 * `signing/signature-failed` the key does not sign, or the certificate belongs to another; `signing/pin-refused`; `signing/algorithm-refused`; `signing/key-file-damaged` a key of a kind that is not used here
 */
export async function openPkcs11Key(options: Pkcs11Options): Promise<OpenedKey> {
  const { sessions = 2, timeoutMs = 30_000, certificates = [] } = options
  const first = startSessionThread(timeoutMs)
  try {
    const { algorithm = null } = options
    const opening = { kind: 'open', place: placeOf(options), certificate: certificates[0] ?? null, algorithm } as const
    const chain = chainOf([...certificates, ...(await first.ask(opening).catch(unavailable))])
    const publicKey = new X509Certificate(chain[0]).publicKey
    const usual = chosenAlgorithm(publicKey, options.algorithm)
    const pool = new SessionPool(first, { opening, sessions, timeoutMs })
    const signing: SigningKey = {
      certificateChain: chain,
      algorithm: usual,
      kind: readCertificate(chain[0]).kind,
      signatureBytes: signatureBytes(publicKey),
      sign: async (messages, wanted = usual) => pool.sign(chosenAlgorithm(publicKey, wanted), messages),
    }
    return { signing, close: () => pool.close() }
  } catch (error) {
    await first.close()
    throw error
  }
}

/** Only what the thread needs: certificates and settings stay here. */
function placeOf({ module, token, pin, keyId, keyLabel }: TokenPlace): TokenPlace {
  return { module, token, pin, keyId, keyLabel }
}

function chainOf(certificates: readonly Buffer[]): [Buffer, ...Buffer[]] {
  const [own, ...issuers] = certificates
  if (own === undefined) {
    throw new SigningError('signing/key-unavailable', 'the token holds no certificate for the key; give it as a file')
  }
  return [own, ...issuers.filter((issuer) => !issuer.equals(own))]
}

/** @throws SigningError */
function unavailable(error: unknown): never {
  throw asFault(error)
}
