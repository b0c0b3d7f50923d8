/** The seal key, wherever the configuration says it lies: a file, a token, a remote service. */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { readSecret, type Config } from './config.ts'
import type { SealKeyConfig } from './config-seal.ts'
import { CliError } from './errors.ts'
import { ensureSealKey, SEAL_KEY } from './first-start.ts'
import { openKeyFile } from './key-files.ts'
import { openCscKey, openPkcs11Key, openPkcs12 } from '../signing/index.ts'
import type { CscOptions, Http, OpenedKey } from '../signing/index.ts'
import type { World } from '../storage/index.ts'

export interface SealKeyDeps {
  config: Config
  world: Pick<World, 'clock' | 'random'>
  /** may reach the own network, for addresses from the configuration alone */
  http: Http
}

/**
 * Opens it. A new installation without a seal key gets one for trials first.
 *
 * @throws SigningError as the adapters; cli/bad-data-folder, cli/bad-config a file is missing
 */
export async function openSealKey({ config, world, http }: SealKeyDeps): Promise<OpenedKey> {
  const { key } = config.seal
  switch (key.kind) {
    case 'pkcs12':
      return fromFile(key, { config, world, http })
    case 'pkcs11':
      return fromToken(key)
    case 'csc':
      return openCscKey(await cscOptions(key, { config, world, http }))
  }
}

/** What doctor and key list call the key. */
export function sealKeyName({ seal: { key } }: Config): string {
  if (key.kind === 'pkcs12') return key.file === undefined ? SEAL_KEY : path.basename(key.file, path.extname(key.file))
  return key.kind === 'pkcs11' ? `${SEAL_KEY} (token)` : `${SEAL_KEY} (service)`
}

async function fromFile(
  key: Extract<SealKeyConfig, { kind: 'pkcs12' }>,
  { config, world }: SealKeyDeps,
): Promise<OpenedKey> {
  const { keysFolder } = config
  const choice = {
    ...(key.alias === undefined ? {} : { alias: key.alias }),
    ...(key.algorithm === undefined ? {} : { algorithm: key.algorithm }),
  }
  const close = (): Promise<void> => Promise.resolve()
  if (key.file !== undefined) {
    const passphraseFile = key.passphraseFile ?? path.join(keysFolder, `${SEAL_KEY}.passphrase`)
    const passphrase = readSecret(passphraseFile, 'seal.key.passphraseFile')
    return { signing: (await openPkcs12(await bytesOf(key.file), passphrase, choice)).signing, close }
  }
  await ensureSealKey(keysFolder, world)
  const opened = await openKeyFile(keysFolder, SEAL_KEY, choice)
  if (!opened) throw new CliError('cli/bad-data-folder', `${SEAL_KEY}.p12 is gone from the keys folder; put it back`)
  return { signing: opened.signing, close }
}

async function fromToken(key: Extract<SealKeyConfig, { kind: 'pkcs11' }>): Promise<OpenedKey> {
  return openPkcs11Key({
    ...tokenPlace(key),
    certificates: await certificatesIn(key.certificateFile),
    sessions: key.sessions,
    timeoutMs: key.timeoutSeconds * 1000,
    ...(key.algorithm === undefined ? {} : { algorithm: key.algorithm }),
  })
}

/** Where the key lies in its token. Throws cli/bad-config without a PIN. */
export function tokenPlace({ module, token, keyId, keyLabel, pinFile }: Extract<SealKeyConfig, { kind: 'pkcs11' }>) {
  const pin = readSecret(pinFile, 'seal.key.pinFile')
  return { module, pin, token: token ?? null, keyId: keyId ?? null, keyLabel: keyLabel ?? null }
}

async function cscOptions(
  key: Extract<SealKeyConfig, { kind: 'csc' }>,
  { world, http }: SealKeyDeps,
): Promise<CscOptions> {
  const [certificate] = await certificatesIn(key.certificateFile)
  return {
    http,
    url: key.url,
    credential: key.credential ?? null,
    pin: key.pinFile === undefined ? null : readSecret(key.pinFile, 'seal.key.pinFile'),
    asynchronous: key.asynchronous,
    timeoutMs: key.timeoutSeconds * 1000,
    clock: world.clock,
    authorisation: authorisationOf(key),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key.algorithm === undefined ? {} : { algorithm: key.algorithm }),
  }
}

function authorisationOf(key: Extract<SealKeyConfig, { kind: 'csc' }>): CscOptions['authorisation'] {
  if (key.tokenFile !== undefined) return { kind: 'bearer', token: readSecret(key.tokenFile, 'seal.key.tokenFile') }
  if (key.clientId === undefined) return { kind: 'none' }
  if (key.clientSecretFile === undefined) {
    throw new CliError('cli/bad-config', 'seal.key.clientSecretFile: say which file holds the secret of clientId')
  }
  const clientSecret = readSecret(key.clientSecretFile, 'seal.key.clientSecretFile')
  return { kind: 'client', clientId: key.clientId, clientSecret, tokenUrl: key.tokenUrl ?? null }
}

/** DER of every certificate of a PEM file, in its order. */
async function certificatesIn(file: string | undefined): Promise<Buffer[]> {
  if (file === undefined) return []
  const blocks = (await bytesOf(file)).toString('latin1').match(PEM_CERTIFICATE)
  if (!blocks) throw new CliError('cli/bad-config', `seal.key.certificateFile: ${file} holds no certificate in PEM`)
  return blocks.map((block) => new X509Certificate(block).raw)
}

async function bytesOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new CliError('cli/bad-config', `seal.key: ${file} cannot be read; correct the path`, { cause })
  }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
