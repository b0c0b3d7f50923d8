/** `key import`: a PKCS#12 file into the keys folder, or the certificate that a trust service made for a key there. */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Config } from './config.ts'
import { CliError } from './errors.ts'
import { addKeyFile, readKeyFile, renameKeyFile } from './key-files.ts'
import { passphraseFrom } from './passphrase.ts'
import { readCertificate, repackPkcs12 } from '../signing/index.ts'
import type { CertificateKind } from '../signing/index.ts'
import type { World } from '../storage/index.ts'

export interface ImportOptions {
  name: string
  passphraseFile?: string
  alias?: string
  replace?: boolean
}

export interface ImportedKey {
  name: string
  kind: CertificateKind
  holder: string
  /** ISO date */
  until: string
  /** name of the key that was there before */
  before: string | null
}

/** The passphrase of the new file is random. Throws cli/usage when the name is taken; SigningError as repackPkcs12. */
export async function importKey(
  { keysFolder }: Config,
  world: Pick<World, 'clock' | 'random'>,
  options: ImportOptions & { file: string },
): Promise<ImportedKey> {
  const { name, replace = false } = options
  if (!/^[a-z0-9][a-z0-9-]{0,59}$/.test(name))
    throw new CliError('cli/usage', 'a name has small letters, digits and hyphens')
  const bytes = await bytesOf(options.file)
  const certificates = pemCertificates(bytes)
  const existing = await readKeyFile(keysFolder, name)
  if (existing !== null && certificates === null && !replace)
    throw new CliError('cli/usage', `there is a key ${name} already; --replace keeps it under another name`)
  const source = certificates === null ? await keyIn(bytes, options) : asSource(existing, name)
  const passphrase = world.random(24).toString('base64url')
  const made = await repackPkcs12(source, {
    ...{ passphrase, random: world.random },
    ...(certificates === null ? {} : { certificates }),
  })
  const before = existing ? `${name}-until-${stamp(world.clock())}` : null
  if (before !== null) await renameKeyFile(keysFolder, name, before)
  if (!(await addKeyFile(keysFolder, name, { pkcs12: made.pkcs12, passphrase }, world)))
    throw new CliError('cli/usage', `somebody else made a key ${name} meanwhile; run the command again`)
  return { name, before, ...factsOf(made.certificate) }
}

function factsOf(certificate: Buffer): Pick<ImportedKey, 'kind' | 'holder' | 'until'> {
  const { kind, commonName, organisation, notAfter } = readCertificate(certificate)
  const holder = commonName === '' ? organisation : commonName
  return { kind, holder, until: notAfter.toISOString().slice(0, 10) }
}

/** 20261123t101500z */
function stamp(at: Date): string {
  return at
    .toISOString()
    .replace(/[-:]|\.\d+/g, '')
    .toLowerCase()
}

async function keyIn(bytes: Buffer, { passphraseFile, alias }: ImportOptions) {
  const passphrase = await passphraseFrom(passphraseFile, 'once')
  return { bytes, passphrase, ...(alias === undefined ? {} : { alias }) }
}

/** Throws cli/usage when there is no such key. */
function asSource(file: { pkcs12: Buffer; passphrase: string } | null, name: string) {
  if (file === null) throw new CliError('cli/usage', `there is no key ${name} for this certificate`)
  return { bytes: file.pkcs12, passphrase: file.passphrase }
}

/** Null: this is no PEM file. */
function pemCertificates(bytes: Buffer): Buffer[] | null {
  const blocks = bytes.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  return blocks?.map((block) => new X509Certificate(block).raw) ?? null
}

async function bytesOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new CliError('cli/usage', `${file} cannot be read; check the path`, { cause })
  }
}
