/**
 * Certificates that the operator put into folders: PEM files with one or several, or DER.
 *
 * In the folder of anchors, `signing`, `timestamping` and `revocation` hold what is trusted for that alone; what lies
 * beside them is trusted for everything.
 */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CliError } from './errors.ts'
import { SigningError, parseCertificate } from '../signing/index.ts'
import type { Certificate, TrustAnchor, TrustPurpose } from '../signing/index.ts'

export const PURPOSES: readonly TrustPurpose[] = ['signing', 'timestamping', 'revocation']

/** All certificates in the files of a folder; none when there is no folder. Throws cli/bad-config for an unreadable file. */
export async function readCertificates(folder: string): Promise<Certificate[]> {
  const found = await Promise.all((await fileNames(folder)).map((name) => readCertificateFile(path.join(folder, name))))
  return found.flat()
}

export async function readAnchors(folder: string): Promise<TrustAnchor[]> {
  const everything = await anchorsIn(folder, folder)
  const single = await Promise.all(
    PURPOSES.map(async (purpose) =>
      (await anchorsIn(path.join(folder, purpose), folder)).map((anchor) => ({ ...anchor, purposes: [purpose] })),
    ),
  )
  return [...everything, ...single.flat()]
}

/** Puts a certificate into the folder of anchors, named by its fingerprint. @returns the files written */
export async function addAnchor(
  folder: string,
  certificate: Certificate,
  purposes: readonly TrustPurpose[],
): Promise<string[]> {
  const targets = purposes.length === 0 ? [folder] : purposes.map((purpose) => path.join(folder, purpose))
  const pem = `-----BEGIN CERTIFICATE-----\n${certificate.der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`
  return Promise.all(
    targets.map(async (target) => {
      await mkdir(target, { recursive: true, mode: 0o700 })
      const written = path.join(target, `${certificate.sha256.slice(0, 32)}.pem`)
      await writeFile(written, pem, { mode: 0o600 })
      return written
    }),
  )
}

/** Certificates of one file; throws cli/bad-config when it holds none. */
export async function readCertificateFile(at: string): Promise<Certificate[]> {
  const bytes = await readFile(at).catch((cause: unknown) => {
    throw new CliError('cli/bad-config', `${at} cannot be read; check the path`, { cause })
  })
  const blocks = bytes.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  const ders = blocks?.map((block) => Buffer.from(block.replace(/-----[^-]+-----/g, ''), 'base64')) ?? [bytes]
  try {
    return ders.map((der) => parseCertificate(der))
  } catch (error) {
    if (!(error instanceof SigningError)) throw error
    throw new CliError('cli/bad-config', `${at} is no certificate in PEM or DER; put another file in its place`, {
      cause: error,
    })
  }
}

async function anchorsIn(folder: string, root: string): Promise<TrustAnchor[]> {
  const names = await fileNames(folder)
  const found = names.map(async (name) => {
    const at = path.join(folder, name)
    const source = `own: ${path.relative(root, at)}`
    return (await readCertificateFile(at)).map((certificate) => ({ certificate, source }))
  })
  return (await Promise.all(found)).flat()
}

async function fileNames(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    const files = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    return files.map(({ name }) => name).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
