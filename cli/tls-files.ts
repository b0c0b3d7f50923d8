/** The certificate and the key of HTTPS, read and tried together. */
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Config } from './config.ts'
import { CliError } from './errors.ts'

/** Throws cli/bad-config with setting and file: one cannot be read, is not PEM, or they do not belong together. */
export function readTlsFiles({ certificateFile, keyFile }: NonNullable<Config['tls']>): { cert: Buffer; key: Buffer } {
  const cert = read(certificateFile, 'certificateFile')
  const key = read(keyFile, 'keyFile')
  usable({ cert }, `tls.certificateFile: ${certificateFile} holds no certificate in PEM`)
  usable({ key }, `tls.keyFile: ${keyFile} holds no key in PEM without a passphrase`)
  usable({ cert, key }, `tls.keyFile: ${keyFile} does not belong to the certificate in ${certificateFile}`)
  return { cert, key }
}

function read(file: string, key: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new CliError('cli/bad-config', `tls.${key}: ${file} cannot be read; correct the path or its permissions`, {
      cause,
    })
  }
}

function usable(pair: { cert?: Buffer; key?: Buffer }, otherwise: string): void {
  try {
    createSecureContext(pair)
  } catch (cause) {
    throw new CliError('cli/bad-config', `${otherwise}; correct the path or the file`, { cause })
  }
}
