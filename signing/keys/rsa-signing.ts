/**
 * A SigningKey over an RSA KeyObject: signs in Node's thread pool and checks every value before it leaves.
 */
import { constants, createPublicKey, sign, verify } from 'node:crypto'
import type { KeyObject, SignKeyObjectInput } from 'node:crypto'
import { promisify } from 'node:util'
import { readCertificate } from '../certificate.ts'
import { SigningError } from '../errors.ts'
import type { SignatureAlgorithm, SigningKey } from './signing-key.ts'

/** `chain`: DER, own certificate first; it must belong to `key`. */
export function rsaSigningKey(key: KeyObject, chain: readonly [Buffer, ...Buffer[]]): SigningKey {
  const publicKey = createPublicKey(key)

  async function signOne(message: Buffer, algorithm: SignatureAlgorithm): Promise<Buffer> {
    const { hash, options } = ALGORITHMS[algorithm]
    let value: Buffer
    try {
      value = await signAsync(hash, message, { key, ...options })
    } catch (cause) {
      throw new SigningError('signing/signature-failed', 'the private key did not sign', { cause })
    }
    // A faulty RSA-CRT computation would give the private key away; it must not leave the process.
    if (!verify(hash, message, { key: publicKey, ...options }, value)) {
      throw new SigningError('signing/signature-failed', 'the signature value does not fit the certificate')
    }
    return value
  }

  return {
    certificateChain: chain,
    algorithm: 'rsa-pkcs1-sha256',
    kind: readCertificate(chain[0]).kind,
    signatureBytes: Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8),
    sign: (messages, algorithm = 'rsa-pkcs1-sha256') =>
      Promise.all(messages.map((message) => signOne(message, algorithm))),
  }
}

const signAsync = promisify<string, Buffer, SignKeyObjectInput, Buffer>(sign)

const PKCS1 = { padding: constants.RSA_PKCS1_PADDING }
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }

const ALGORITHMS = {
  'rsa-pkcs1-sha256': { hash: 'sha256', options: PKCS1 },
  'rsa-pkcs1-sha384': { hash: 'sha384', options: PKCS1 },
  'rsa-pkcs1-sha512': { hash: 'sha512', options: PKCS1 },
  'rsa-pss-sha256': { hash: 'sha256', options: PSS },
  'rsa-pss-sha384': { hash: 'sha384', options: PSS },
  'rsa-pss-sha512': { hash: 'sha512', options: PSS },
} as const satisfies Record<SignatureAlgorithm, { hash: string; options: object }>
