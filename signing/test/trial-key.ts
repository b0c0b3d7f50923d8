/** One trial key for all tests of a file; making one takes half a second. */
import { randomBytes } from 'node:crypto'
import { bufferAccess, makeTrialIdentity, openPkcs12, sealPdf } from '../index.ts'
import type { DecryptionKey, RandomAccess, SealRequest, SigningKey } from '../index.ts'

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
  return { ...identity, ...(await openPkcs12(identity.pkcs12, PASSPHRASE)) }
}

export async function seal(pdf: Buffer | RandomAccess, request: Partial<SealRequest> = {}): Promise<Buffer> {
  const { signing } = await trialKey()
  const sealed = await sealPdf(Buffer.isBuffer(pdf) ? bufferAccess(pdf) : pdf, signing, { signedAt: NOW, ...request })
  const parts: Buffer[] = []
  for await (const part of sealed.bytes) parts.push(part)
  return Buffer.concat(parts)
}
