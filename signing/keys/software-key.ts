/**
 * A SigningKey over a KeyObject, RSA or elliptic curve: signs in Node's thread pool and checks every value before it leaves.
 */
import { createPublicKey, sign } from 'node:crypto'
import type { KeyObject, SignKeyObjectInput } from 'node:crypto'
import { promisify } from 'node:util'
import { readCertificate } from '../certificate.ts'
import { SigningError } from '../errors.ts'
import { OPERATIONS, chosenAlgorithm, signatureBytes, valueFits } from './algorithms.ts'
import type { SignatureAlgorithm, SigningKey } from './signing-key.ts'

/**
 * @param chain DER, own certificate first; it must belong to `key`
 * @param algorithm what the key signs with; default by its kind
 * @throws SigningError `signing/algorithm-refused`, `signing/key-file-damaged`
 */
export function softwareSigningKey(
  key: KeyObject,
  chain: readonly [Buffer, ...Buffer[]],
  algorithm?: SignatureAlgorithm,
): SigningKey {
  const publicKey = createPublicKey(key)
  const usual = chosenAlgorithm(publicKey, algorithm)

  async function signOne(message: Buffer, chosen: SignatureAlgorithm): Promise<Buffer> {
    const { hash, options } = OPERATIONS[chosen]
    let value: Buffer
    try {
      value = await signAsync(hash, message, { key, ...options })
    } catch (cause) {
      throw new SigningError('signing/signature-failed', 'the private key did not sign', { cause })
    }
    // A faulty RSA-CRT computation would give the private key away; it must not leave the process.
    if (!valueFits(publicKey, chosen, message, value)) {
      throw new SigningError('signing/signature-failed', 'the signature value does not fit the certificate')
    }
    return value
  }

  return {
    certificateChain: chain,
    algorithm: usual,
    kind: readCertificate(chain[0]).kind,
    signatureBytes: signatureBytes(publicKey),
    sign: async (messages, wanted = usual) => {
      const chosen = chosenAlgorithm(publicKey, wanted)
      return Promise.all(messages.map((message) => signOne(message, chosen)))
    },
  }
}

const signAsync = promisify<string, Buffer, SignKeyObjectInput, Buffer>(sign)
