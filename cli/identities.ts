/** Key pairs of OSCI parties in the keys folder: `<name>-signature.p12` and `<name>-cipher.p12` make one identity. */
import { CliError } from './errors.ts'
import { ensureTrialKey, keyFileNames, openKeyFile } from './key-files.ts'
import type { OsciIdentity } from '../mailbox/index.ts'
import type { World } from '../storage/index.ts'

export interface OpenIdentity extends OsciIdentity {
  certificates: { cipherCertificate: Buffer; signatureCertificate: Buffer }
}

/** Makes trial keys for the identity where they are missing. @returns true when something was made */
export async function ensureIdentity(
  folder: string,
  identity: { name: string; commonName: string },
  needs: Pick<World, 'clock' | 'random'>,
): Promise<boolean> {
  const { name, commonName } = identity
  const made = await Promise.all([
    ensureTrialKey(folder, { name: `${name}-signature`, usage: 'osci-signature', commonName }, needs),
    ensureTrialKey(folder, { name: `${name}-cipher`, usage: 'osci-cipher', commonName }, needs),
  ])
  return made.includes(true)
}

/** Null when one of the two key files is missing. */
export async function openIdentity(folder: string, name: string): Promise<OpenIdentity | null> {
  const signature = await openKeyFile(folder, `${name}-signature`)
  const cipher = await openKeyFile(folder, `${name}-cipher`)
  const signatureCertificate = signature?.signing.certificateChain[0]
  if (!signature || !cipher || !signatureCertificate) return null
  const { decryption } = cipher
  if (decryption === null) throw new CliError('cli/bad-data-folder', `${name}-cipher.p12 must hold an RSA key`)
  const { signing } = signature
  const certificates = { cipherCertificate: decryption.certificate, signatureCertificate }
  return { signing, decryption, certificates }
}

/** Adds every identity of the folder that `opened` does not hold yet; how a running server learns of new mailboxes. */
export async function openNewIdentities(folder: string, opened: Map<string, OsciIdentity>): Promise<void> {
  const names = (await keyFileNames(folder))
    .filter((name) => name.endsWith('-cipher'))
    .map((name) => name.slice(0, -'-cipher'.length))
  for (const name of names) {
    if (opened.has(name)) continue
    const identity = await openIdentity(folder, name)
    if (identity) opened.set(name, identity)
  }
}
