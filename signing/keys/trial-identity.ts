/**
 * Keys for trials: a fresh key pair, a certificate that says "trial", and the key file that holds both.
 *
 * The certificate (RFC 5280) is signed by itself or by another trial identity and carries the trial policy, by which
 * every seal made with it is named `trial`. It is no substitute for one from a trust service.
 */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import * as der from '../asn1/der.ts'
import { NAME, TRIAL_POLICY } from '../certificate.ts'
import { ALGORITHMS } from '../cms/signed-data.ts'
import { SigningError } from '../errors.ts'
import { EXTENSION, parseCertificate } from '../trust/certificate.ts'
import { OPERATIONS, defaultAlgorithm } from './algorithms.ts'
import { makeKeyPair } from './key-algorithm.ts'
import type { KeyAlgorithm } from './key-algorithm.ts'
import { readPkcs12 } from './pkcs12.ts'
import { writePkcs12 } from './pkcs12-writer.ts'

/** What the key is for; decides the key usage in the certificate. `authority` issues other trial certificates. */
export type TrialUsage = 'seal' | 'osci-signature' | 'osci-cipher' | 'authority'

/** What stands in a trial certificate. */
export interface TrialSubject {
  /** 1 to 64 characters (RFC 5280 upper bound of a common name) */
  commonName: string
  /** 1 to 64 characters */
  organisation: string
  usage: TrialUsage
  now: Date
  random: (bytes: number) => Buffer
  /** key file of a trial identity with usage `authority` that signs the certificate; without it, it signs itself */
  issuer?: { pkcs12: Buffer; passphrase: string }
}

export interface TrialRequest extends TrialSubject {
  /** protects the new key file; at least 12 characters */
  passphrase: string
  /** default `rsa-3072` */
  algorithm?: KeyAlgorithm
}

/**
 * Makes a key pair and a certificate, valid from one hour before `now` for three years.
 *
 * @returns the PKCS#12 file (PBES2, AES-256-CBC) and the DER certificate inside it
 * @throws SigningError `signing/bad-text` a name is empty or too long, or the passphrase too short
 */
export async function makeTrialIdentity(request: TrialRequest): Promise<{ pkcs12: Buffer; certificate: Buffer }> {
  const { passphrase, random, algorithm = 'rsa-3072' } = request
  if (passphrase.length < 12) throw new SigningError('signing/bad-text', 'the passphrase has at least 12 characters')
  checkNames(request)
  const privateKey = await makeKeyPair(algorithm)
  const issuer = request.issuer === undefined ? null : await openIssuer(request.issuer)
  const certificate = certificateFor(request, { publicKey: createPublicKey(privateKey), issuer, privateKey })
  const chain = [certificate, ...(issuer?.chain ?? [])]
  return { pkcs12: await writePkcs12({ privateKey, chain, passphrase, random }), certificate }
}

/**
 * A trial certificate for a key that lies elsewhere (in a token), by a trial authority.
 *
 * @returns DER, the new certificate first, then its issuers
 * @throws SigningError as makeTrialIdentity, `signing/bad-passphrase`
 */
export async function issueTrialCertificate(
  request: TrialSubject & Required<Pick<TrialSubject, 'issuer'>>,
  publicKey: KeyObject,
): Promise<[Buffer, ...Buffer[]]> {
  checkNames(request)
  const issuer = await openIssuer(request.issuer)
  return [certificateFor(request, { publicKey, issuer, privateKey: issuer.key }), ...issuer.chain]
}

function certificateFor(
  request: TrialSubject,
  { publicKey, issuer, privateKey }: { publicKey: KeyObject; issuer: Issuer | null; privateKey: KeyObject },
): Buffer {
  const signer = issuer?.key ?? privateKey
  const algorithm = defaultAlgorithm(createPublicKey(signer))
  const identifier = ALGORITHMS[algorithm].signature
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const tbs = toBeSigned(request, { subject: distinguishedName(request), spki, issuer, identifier })
  const { hash, options } = OPERATIONS[algorithm]
  return der.sequence(tbs, identifier, der.bitString(sign(hash, tbs, { key: signer, ...options })))
}

interface Issuer {
  name: Buffer
  spki: Buffer
  key: KeyObject
  chain: Buffer[]
}

interface Parts {
  subject: Buffer
  spki: Buffer
  issuer: Issuer | null
  /** AlgorithmIdentifier of the signature */
  identifier: Buffer
}

function toBeSigned(request: TrialSubject, parts: Parts): Buffer {
  const serial = Buffer.concat([Buffer.from([0x40]), request.random(15)])
  const from = new Date(request.now.getTime() - HOUR_MS)
  const until = new Date(request.now.getTime() + THREE_YEARS_MS)
  return der.sequence(
    der.encode(0xa0, der.integer(2)), // version 3
    der.unsignedInteger(serial),
    parts.identifier,
    parts.issuer?.name ?? parts.subject,
    der.sequence(der.time(from), der.time(until)),
    parts.subject,
    parts.spki,
    der.encode(0xa3, der.sequence(...extensions(request.usage, parts))),
  )
}

function extensions(usage: TrialUsage, parts: Parts): Buffer[] {
  const authority = keyIdentifier(parts.issuer?.spki ?? parts.spki)
  return [
    extension(EXTENSION.basicConstraints, 'critical', der.sequence(...(usage === 'authority' ? [der.derTrue()] : []))),
    extension(
      EXTENSION.keyUsage,
      'critical',
      der.bitString(Buffer.from([USAGE_BITS[usage].bits]), USAGE_BITS[usage].unused),
    ),
    extension(EXTENSION.subjectKeyIdentifier, 'plain', der.octetString(keyIdentifier(parts.spki))),
    extension(EXTENSION.authorityKeyIdentifier, 'plain', der.sequence(der.encode(0x80, authority))),
    extension(EXTENSION.certificatePolicies, 'plain', der.sequence(der.sequence(der.oid(TRIAL_POLICY)))),
  ]
}

function extension(id: string, weight: 'critical' | 'plain', value: Buffer): Buffer {
  return der.sequence(der.oid(id), ...(weight === 'critical' ? [der.derTrue()] : []), der.octetString(value))
}

/** RFC 5280 §4.2.1.2 method 1: SHA-1 of the key bits; a name, not a protection. */
function keyIdentifier(spki: Buffer): Buffer {
  const [, bits] = der.childrenOf(der.decode(spki), der.TAG.sequence)
  return createHash('sha1').update(der.expect(bits, der.TAG.bitString).content.subarray(1)).digest()
}

function distinguishedName({ organisation, commonName }: TrialSubject): Buffer {
  const attribute = (id: string, value: string) => der.setOf(der.sequence(der.oid(id), der.utf8String(value)))
  return der.sequence(attribute(NAME.organisation, organisation), attribute(NAME.commonName, commonName))
}

async function openIssuer({ pkcs12, passphrase }: { pkcs12: Buffer; passphrase: string }): Promise<Issuer> {
  const { privateKey, chain } = await readPkcs12(pkcs12, passphrase)
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
  const own = chain[0]
  const { subject, spki } = parseCertificate(own)
  return { name: subject.der, spki, key, chain }
}

function checkNames({ commonName, organisation }: TrialSubject): void {
  for (const name of [commonName, organisation]) {
    if (name.trim() === '' || name.length > 64) {
      throw new SigningError('signing/bad-text', 'a name in a certificate has 1 to 64 characters')
    }
  }
}

/** RFC 5280 §4.2.1.3. A seal key signs documents; OSCI signature keys sign messages; cipher keys unwrap content keys. */
const USAGE_BITS = {
  seal: { bits: 0b11000000, unused: 6 }, // digitalSignature, nonRepudiation
  'osci-signature': { bits: 0b11000000, unused: 6 },
  'osci-cipher': { bits: 0b00110000, unused: 4 }, // keyEncipherment, dataEncipherment
  authority: { bits: 0b00000110, unused: 1 }, // keyCertSign, cRLSign
} as const satisfies Record<TrialUsage, { bits: number; unused: number }>

const HOUR_MS = 60 * 60 * 1000
const THREE_YEARS_MS = 3 * 365 * 24 * HOUR_MS
