/** `key csr`: a certificate request for a key file or for the seal key, also for one in a token that has no certificate yet. */
import { X509Certificate } from 'node:crypto'
import { CliError } from './errors.ts'
import { tokenPlace, type SealKeyDeps } from './seal-key.ts'
import { openNamedKey } from './signing-keys.ts'
import { makeCertificateRequest, tokenKeys } from '../signing/index.ts'

export interface RequestOptions {
  commonName: string
  organisation: string
  country: string
}

/** DER. `name` null: the seal key. Throws cli/usage where a service holds the key; SigningError. */
export async function certificateRequest(
  deps: SealKeyDeps,
  name: string | null,
  { commonName, organisation, country }: RequestOptions,
): Promise<Buffer> {
  const { key } = deps.config.seal
  if (name === null && key.kind === 'csc')
    throw new CliError('cli/usage', 'the service that holds the seal key gives its certificate, too')
  if (name === null && key.kind === 'pkcs11') {
    const place = tokenPlace(key)
    if (place.keyId === null) throw new CliError('cli/usage', 'set seal.key.keyId to the ID of the key in the token')
    const { tokenSigner } = await tokenKeys()
    const signer = tokenSigner({ ...place, keyId: place.keyId, keyLabel: place.keyLabel ?? '' })
    return makeCertificateRequest({ commonName, organisation, country, publicKey: signer.publicKey }, signer)
  }
  const { signing, close } = await openNamedKey(deps, name)
  try {
    const { publicKey } = new X509Certificate(signing.certificateChain[0])
    return await makeCertificateRequest({ commonName, organisation, country, publicKey }, signing)
  } finally {
    await close()
  }
}
