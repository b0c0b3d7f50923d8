/**
 * What a remote signing service says about a credential (credentials/list, credentials/info), in either version's spelling.
 */
import { readCertificate } from '../../certificate.ts'
import { SigningError } from '../../errors.ts'
import { numberIn, objectIn, stringIn, stringsIn, unavailable } from './service.ts'
import type { CscService, Json } from './service.ts'

export interface CscProvider {
  version: 1 | 2
  /** methods that it offers; empty: it does not say */
  methods: ReadonlySet<string>
}

export interface CscCredential {
  id: string
  /** DER, own certificate first */
  chain: [Buffer, ...Buffer[]]
  /** object identifiers of what the key signs with */
  algorithms: ReadonlySet<string>
  /** most signatures under one authorisation */
  multisign: number
  /** who allows a signature: nobody, we by a PIN, or a person by OAuth */
  authorisation: 'implicit' | 'explicit' | 'oauth'
  /** names of the secrets that `explicit` wants */
  secrets: readonly string[]
}

/** @throws SigningError `signing/key-unavailable` */
export async function readProvider(service: CscService): Promise<CscProvider> {
  const info = await service.call('info', {}, 'public')
  const base = stringIn(info, 'oauth2', 'oauth2Issuer')
  if (base !== null) service.tokensFrom(base)
  const specs = stringIn(info, 'specs') ?? ''
  if (!/^[12]\./.test(specs)) throw unavailable('the service speaks no version of the API that is known here')
  return { version: specs.startsWith('2') ? 2 : 1, methods: new Set(stringsIn(info, 'methods')) }
}

/**
 * Reads the credential of this name, or the only one.
 *
 * @throws SigningError `signing/key-unavailable` there is none, several, or it is switched off
 */
export async function readCredential(service: CscService, wanted: string | null): Promise<CscCredential> {
  const id = wanted ?? (await onlyCredential(service))
  const request = { credentialID: id, certificates: 'chain', certInfo: true, authInfo: true }
  const info = await service.call('credentials/info', request)
  const [key, certificate] = [objectIn(info, 'key'), objectIn(info, 'cert')]
  if (stringIn(key, 'status') === 'disabled') throw unavailable('the service has switched the key off')
  return {
    id,
    chain: chainOf(stringsIn(certificate, 'certificates')),
    algorithms: new Set(stringsIn(key, 'algo')),
    multisign: Math.max(1, Math.floor(numberIn(info, 'multisign') ?? 1)),
    ...authorisationOf(info),
  }
}

async function onlyCredential(service: CscService): Promise<string> {
  const ids = stringsIn(await service.call('credentials/list', { maxResults: 2 }), 'credentialIDs')
  const [first, another] = ids
  if (first === undefined) throw unavailable('the service has no credential for us')
  if (another !== undefined) throw unavailable('the service has several credentials; choose one by its ID')
  return first
}

/** Version 1: authMode with PIN and OTP beside it. Version 2: auth { mode, objects }. */
function authorisationOf(info: Json): Pick<CscCredential, 'authorisation' | 'secrets'> {
  const auth = objectIn(info, 'auth')
  const mode = (stringIn(auth, 'mode') ?? stringIn(info, 'authMode') ?? 'implicit').toLowerCase()
  if (mode === 'implicit') return { authorisation: 'implicit', secrets: [] }
  if (mode !== 'explicit') return { authorisation: 'oauth', secrets: [] }
  const objects = Array.isArray(auth['objects']) ? (auth['objects'] as unknown[]) : []
  const named = objects.flatMap((item) => {
    const id = typeof item === 'object' && item !== null ? stringIn(item as Json, 'id') : null
    return id === null ? [] : [id]
  })
  const asked = ['PIN', 'OTP'].filter((name) => isAsked(objectIn(info, name)))
  return { authorisation: 'explicit', secrets: named.length > 0 ? named : asked }
}

function isAsked({ presence }: Json): boolean {
  return presence === true || presence === 'true'
}

function chainOf(encoded: readonly string[]): [Buffer, ...Buffer[]] {
  const [own, ...issuers] = encoded.map((text) => Buffer.from(text, 'base64'))
  if (own === undefined) throw unavailable('the service gives no certificate for the key')
  try {
    for (const one of [own, ...issuers]) readCertificate(one)
  } catch (cause) {
    if (cause instanceof SigningError) throw unavailable('a certificate from the service cannot be read', cause)
    throw cause
  }
  return [own, ...issuers]
}
