/**
 * Certificate requests (PKCS#10, RFC 2986) for keys wherever they lie: PKI.js builds the structure, the key signs it.
 *
 * PKI.js is loaded when the first request is made; its engine is not used, because it knows no brainpool curves.
 */
import type { KeyObject } from 'node:crypto'
import * as der from '../asn1/der.ts'
import { NAME } from '../certificate.ts'
import { EXTENSION } from '../trust/certificate.ts'
import { ALGORITHMS } from '../cms/signed-data.ts'
import { SigningError } from '../errors.ts'
import { valueFits } from './algorithms.ts'
import type { SigningKey } from './signing-key.ts'

export interface CertificateRequest {
  commonName: string
  organisation: string
  /** ISO 3166 code; empty: left out */
  country: string
  publicKey: KeyObject
}

/**
 * Asks for a certificate that signs documents (digitalSignature, nonRepudiation).
 *
 * @param key signs the request: the private key of `publicKey`
 * @returns DER
 * @throws SigningError `signing/bad-text`, `signing/signature-failed`
 */
export async function makeCertificateRequest(
  request: CertificateRequest,
  key: Pick<SigningKey, 'sign' | 'algorithm'>,
): Promise<Buffer> {
  checkNames(request)
  const [pkijs, asn1js] = await Promise.all([import('pkijs'), import('asn1js')])
  const { publicKey } = request
  /** What is signed is protected in the library. */
  class Request extends pkijs.CertificationRequest {
    toBeSigned(): Buffer {
      return Buffer.from(this.encodeTBS().toBER())
    }
  }
  const made = new Request()
  made.subject = pkijs.RelativeDistinguishedNames.fromBER(bytesOf(subjectName(request)))
  made.subjectPublicKeyInfo = pkijs.PublicKeyInfo.fromBER(bytesOf(publicKey.export({ type: 'spki', format: 'der' })))
  made.attributes = [new pkijs.Attribute({ type: EXTENSION_REQUEST, values: [extensions(pkijs, asn1js)] })]
  made.signatureAlgorithm = pkijs.AlgorithmIdentifier.fromBER(bytesOf(ALGORITHMS[key.algorithm].signature))
  const signed = made.toBeSigned()
  const [value] = await key.sign([signed])
  if (value === undefined || !valueFits(publicKey, key.algorithm, signed, value)) {
    throw new SigningError('signing/signature-failed', 'the key is another one than that of the request')
  }
  made.signatureValue = new asn1js.BitString({ valueHex: bytesOf(value) })
  return Buffer.from(made.toSchema(true).toBER())
}

/** One attribute in each part of the name; PKI.js would put all into one. */
function subjectName({ commonName, organisation, country }: CertificateRequest): Buffer {
  const part = (type: string, value: Buffer): Buffer => der.setOf(der.sequence(der.oid(type), value))
  return der.sequence(
    ...(country === '' ? [] : [part('2.5.4.6', der.encode(PRINTABLE_STRING, Buffer.from(country, 'latin1')))]),
    part(NAME.organisation, der.utf8String(organisation)),
    part(NAME.commonName, der.utf8String(commonName)),
  )
}

/** keyUsage, critical, as the request wishes it. */
function extensions(pkijs: typeof import('pkijs'), asn1js: typeof import('asn1js')): unknown {
  const usage = new asn1js.BitString({ valueHex: bytesOf(Buffer.from([0b11000000])), unusedBits: 6 })
  const extension = new pkijs.Extension({ extnID: EXTENSION.keyUsage, critical: true, extnValue: usage.toBER() })
  return new pkijs.Extensions({ extensions: [extension] }).toSchema()
}

function checkNames({ commonName, organisation, country }: CertificateRequest): void {
  const isText = (text: string): boolean => text.trim() !== '' && text.length <= 64
  if (isText(commonName) && isText(organisation) && /^([A-Z]{2})?$/.test(country)) return
  throw new SigningError('signing/bad-text', 'names have 1 to 64 characters, a country two capital letters')
}

/** An ArrayBuffer of exactly these bytes. */
function bytesOf(bytes: Buffer): ArrayBuffer {
  return Uint8Array.from(bytes).buffer
}

const PRINTABLE_STRING = 0x13
/** RFC 2985 §5.4.2 */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'
