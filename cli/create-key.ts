/** `key create`: a trial authority, or a trial key below it, as a file of the keys folder or inside a token. */
import { X509Certificate } from 'node:crypto'
import { readSecret, type Config } from './config.ts'
import { CliError } from './errors.ts'
import { addKeyFile, readKeyFile } from './key-files.ts'
import { issueTrialCertificate, makeTrialIdentity, tokenKeys } from '../signing/index.ts'
import type { KeyAlgorithm } from '../signing/index.ts'
import type { World } from '../storage/index.ts'

/** Name of the trial authority that others are issued by. */
const AUTHORITY = 'ca'

export interface CreateOptions {
  algorithm?: KeyAlgorithm
  commonName?: string
  organisation?: string
  issuer?: string
  module?: string
  token?: string
  keyId?: string
  pinFile?: string
}

export interface CreatedKey {
  name: string
  algorithm: KeyAlgorithm
  where: string
  /** SHA-256 of the certificate, hexadecimal */
  certificate: string
}

type Request = CreateOptions & { name: string }

/** Throws cli/usage for a name that is taken or options that do not fit; SigningError as the makers. */
export async function createSigningKey(
  config: Config,
  world: Pick<World, 'clock' | 'random'>,
  request: Request,
): Promise<CreatedKey> {
  const { name, algorithm = 'rsa-3072' } = request
  if (!/^[a-z0-9][a-z0-9-]{0,59}$/.test(name))
    throw new CliError('cli/usage', 'a name has small letters, digits and hyphens')
  const issuer = await issuerFor(config.keysFolder, request)
  const subject = {
    commonName: request.commonName ?? (name === AUTHORITY ? 'Amtsbote Prüf-CA (Probe)' : 'Amtsbote Siegel (Probe)'),
    organisation: request.organisation ?? 'Amtsbote Probebetrieb',
    usage: name === AUTHORITY ? 'authority' : 'seal',
    now: world.clock(),
    random: world.random,
  } as const
  if (request.module !== undefined) return createInToken(request, request.module, { ...subject, issuer })
  const passphrase = world.random(24).toString('base64url')
  const made = await makeTrialIdentity({ ...subject, passphrase, algorithm, ...(issuer === null ? {} : { issuer }) })
  if (!(await addKeyFile(config.keysFolder, name, { pkcs12: made.pkcs12, passphrase }, world)))
    throw new CliError('cli/usage', `there is a key ${name} already; choose another name`)
  return { name, algorithm, where: 'the keys folder', certificate: digestOf(made.certificate) }
}

/** The named authority; without a name `ca`, if it is there. An authority signs itself. */
async function issuerFor(folder: string, { name, issuer }: Request): Promise<Issuer | null> {
  if (name === AUTHORITY) return null
  const file = await readKeyFile(folder, issuer ?? AUTHORITY)
  if (file === null && issuer !== undefined) throw new CliError('cli/usage', `there is no key ${issuer}`)
  return file
}

interface Issuer {
  pkcs12: Buffer
  passphrase: string
}

type Subject = Omit<Parameters<typeof issueTrialCertificate>[0], 'issuer'> & { issuer: Issuer | null }

async function createInToken(request: Request, module: string, subject: Subject): Promise<CreatedKey> {
  const { name, algorithm = 'rsa-3072', keyId, pinFile, token } = request
  const { issuer } = subject
  if (keyId === undefined || !/^([0-9a-fA-F]{2}){1,64}$/.test(keyId) || pinFile === undefined)
    throw new CliError('cli/usage', 'a key in a token needs --key-id <hex> and --pin-file <file>')
  if (issuer === null)
    throw new CliError('cli/usage', 'a key in a token is certified by a trial authority: run `amtsbote key create ca`')
  const { createTokenKey, storeTokenCertificate } = await tokenKeys()
  const place = { module, token: token ?? null, pin: readSecret(pinFile, '--pin-file'), keyId, keyLabel: name }
  const publicKey = createTokenKey(place, algorithm)
  const [certificate] = await issueTrialCertificate({ ...subject, issuer }, publicKey)
  storeTokenCertificate(place, certificate)
  return { name, algorithm, where: 'the token', certificate: digestOf(certificate) }
}

function digestOf(certificate: Buffer): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()
}
