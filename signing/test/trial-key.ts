/** One trial key for all tests of a file; making one takes half a second. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { bufferAccess, makeTrialIdentity, openPkcs12, sealPdf } from '../index.ts'
import type { DecryptionKey, RandomAccess, SealRequest, SigningKey } from '../index.ts'

import { softwareSigningKey } from '../keys/software-key.ts'
import { EXTENSIONS, issue } from './support/test-certificates.ts'

export const NOW = new Date('2026-11-23T10:00:00Z')
export const PASSPHRASE = 'nur zum Testen, nie im Betrieb'

export interface TrialKey {
  signing: SigningKey
  decryption: DecryptionKey
  pkcs12: Buffer
  certificate: Buffer
}

let made: Promise<TrialKey> | undefined

export function trialKey(): Promise<TrialKey> {
  made ??= make()
  return made
}

async function make(): Promise<TrialKey> {
  const names = { commonName: 'Siegel Übungsstadt', organisation: 'Übungsstadt' }
  const identity = await makeTrialIdentity({
    ...names,
    usage: 'seal',
    passphrase: PASSPHRASE,
    now: NOW,
    random: randomBytes,
  })
  const { signing, decryption } = await openPkcs12(identity.pkcs12, PASSPHRASE)
  if (decryption === null) throw new Error('the trial key is RSA')
  return { ...identity, signing, decryption }
}

/** A new key on this curve with an own certificate, valid in the year of NOW. */
export function ecSigningKey(curve: string): SigningKey {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: curve })
  const validity = { from: new Date('2026-01-01'), until: new Date('2028-01-01') }
  const extensions = EXTENSIONS.signer()
  const { certificate } = issue({ commonName: `Siegel ${curve}`, key, issuer: null, ...validity, extensions })
  return softwareSigningKey(key, [certificate])
}

export async function seal(pdf: Buffer | RandomAccess, request: Partial<SealRequest> = {}): Promise<Buffer> {
  const { signing } = await trialKey()
  const sealed = await sealPdf(Buffer.isBuffer(pdf) ? bufferAccess(pdf) : pdf, signing, { signedAt: NOW, ...request })
  const parts: Buffer[] = []
  for await (const part of sealed.bytes) parts.push(part)
  return Buffer.concat(parts)
}
