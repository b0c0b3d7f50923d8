/**
 * A SigningKey over a KeyObject, RSA or elliptic curve: signs in Node's thread pool.
 *
 * That key and certificate belong together is proved once, by a signature. After that no wrong value leaves: OpenSSL
 * raises every RSA value to the public exponent and does not give away a miscalculated one, from which the private key
 * could be worked out (crypto/rsa/rsa_ossl.c, rsa_ossl_mod_exp). ECDSA values it does not look at; those are verified here.
 */
import { X509Certificate, sign } from 'node:crypto'
import type { KeyObject, SignKeyObjectInput } from 'node:crypto'
import { promisify } from 'node:util'
import { readCertificate } from '../certificate.ts'
import { SigningError } from '../errors.ts'
import { OPERATIONS, PROOF, chosenAlgorithm, signatureBytes, valueFits } from './algorithms.ts'
import type { SignatureAlgorithm, SigningKey } from './signing-key.ts'

/**
 * @param chain DER, own certificate first
 * @param algorithm what the key signs with; default by its kind
 * @throws SigningError `signing/algorithm-refused`; `signing/key-file-damaged` a key that is not used here, is damaged or
 * belongs to another certificate
 */
export function softwareSigningKey(
  key: KeyObject,
  chain: readonly [Buffer, ...Buffer[]],
  algorithm?: SignatureAlgorithm,
): SigningKey {
  const { publicKey } = new X509Certificate(chain[0])
  const usual = chosenAlgorithm(publicKey, algorithm)
  prove(key, publicKey, usual)
  const isChecked = publicKey.asymmetricKeyType !== 'ec'

  async function signOne(message: Buffer, chosen: SignatureAlgorithm): Promise<Buffer> {
    const { hash, options } = OPERATIONS[chosen]
    let value: Buffer
    try {
      value = await signAsync(hash, message, { key, ...options })
    } catch (cause) {
      throw new SigningError('signing/signature-failed', 'the private key did not sign', { cause })
    }
    if (isChecked || valueFits(publicKey, chosen, message, value)) return value
    throw new SigningError('signing/signature-failed', 'the signature value does not fit the certificate')
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

/** A damaged key may have the right public part. */
function prove(key: KeyObject, publicKey: KeyObject, algorithm: SignatureAlgorithm): void {
  const { hash, options } = OPERATIONS[algorithm]
  try {
    if (valueFits(publicKey, algorithm, PROOF, sign(hash, PROOF, { key, ...options }))) return
  } catch (cause) {
    throw new SigningError('signing/key-file-damaged', 'the private key does not sign', { cause })
  }
  throw new SigningError('signing/key-file-damaged', 'the private key does not fit the certificate')
}

const signAsync = promisify<string, Buffer, SignKeyObjectInput, Buffer>(sign)
