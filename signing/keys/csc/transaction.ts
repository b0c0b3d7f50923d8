/**
 * One batch of hashes through a remote signing service: authorise, sign, wait where the service works asynchronously.
 *
 * The same hashes in the same order in authorisation and signature (SCAL 2). The activation data (SAD) lives in this call
 * and nowhere else. What comes back is not verified here; csc.ts does that.
 */
import { SigningError } from '../../errors.ts'
import type { CscCredential, CscProvider } from './credential.ts'
import { numberIn, stringIn, stringsIn, unavailable } from './service.ts'
import type { CscService, Json } from './service.ts'

export interface CscContext {
  service: CscService
  provider: CscProvider
  credential: CscCredential
  /** secret of an explicit authorisation; null: none */
  pin: string | null
  /** version 2 only: the service answers with a number to ask again by */
  asynchronous: boolean
  clock: () => Date
  wait: (ms: number) => Promise<void>
}

export interface CscBatch {
  hashes: readonly Buffer[]
  /** object identifiers; `parameters` is DER of RSASSA-PSS-params */
  hashAlgorithm: string
  signAlgorithm: string
  parameters: Buffer | null
}

/**
 * @returns values as the service gives them, one a hash
 * @throws SigningError `signing/key-unavailable`, `signing/pin-refused`, `signing/signature-failed`
 */
export async function signBatch(context: CscContext, batch: CscBatch): Promise<Buffer[]> {
  const sad = await activate(context, batch)
  const { credential, provider, asynchronous } = context
  const first = await context.service.call('signatures/signHash', {
    credentialID: credential.id,
    ...(sad === null ? {} : { SAD: sad }),
    ...hashFields(provider, batch),
    signAlgo: batch.signAlgorithm,
    ...(batch.parameters === null ? {} : { signAlgoParams: batch.parameters.toString('base64') }),
    ...(asynchronous && provider.version === 2 ? { operationMode: 'A' } : {}),
  })
  const answer = await finished(context, first, 'signatures/signPolling', (content) => 'signatures' in content)
  return stringsIn(answer, 'signatures').map((text) => Buffer.from(text, 'base64'))
}

/** Null where the token itself is the authorisation. */
async function activate(context: CscContext, batch: CscBatch): Promise<string | null> {
  const { service, provider, credential } = context
  if (credential.authorisation === 'oauth') {
    if (provider.version === 2) return null
    throw unavailable('the service wants a person to allow every signature; such keys cannot seal by themselves')
  }
  const from = context.clock().getTime()
  const first = await service.call('credentials/authorize', {
    credentialID: credential.id,
    numSignatures: batch.hashes.length,
    ...authorisedFields(provider, batch),
    ...secretFields(context),
  })
  const answer = await finished(context, first, 'credentials/authorizeCheck', (content) => 'SAD' in content)
  const sad = stringIn(answer, 'SAD')
  if (sad === null) throw unavailable('the service gave no activation data')
  const livesMs = (numberIn(answer, 'expiresIn') ?? 3600) * 1000
  return context.clock().getTime() - from < livesMs ? sad : extend(context, batch, sad)
}

/** Waiting for a person or a queue may have used up the time of the authorisation. */
async function extend({ service, provider, credential }: CscContext, batch: CscBatch, sad: string): Promise<string> {
  const answer = await service.call('credentials/extendTransaction', {
    credentialID: credential.id,
    SAD: sad,
    ...authorisedFields(provider, batch),
  })
  const next = stringIn(answer, 'SAD')
  if (next === null) throw unavailable('the service did not extend the authorisation')
  return next
}

function hashFields({ version }: CscProvider, { hashes, hashAlgorithm }: CscBatch): Json {
  const encoded = hashes.map((hash) => hash.toString('base64'))
  return version === 2
    ? { hashes: encoded, hashAlgorithmOID: hashAlgorithm }
    : { hash: encoded, hashAlgo: hashAlgorithm }
}

/** Version 1 names no algorithm where hashes are authorised. */
function authorisedFields(provider: CscProvider, batch: CscBatch): Json {
  if (provider.version === 2) return hashFields(provider, batch)
  return { hash: batch.hashes.map((hash) => hash.toString('base64')) }
}

function secretFields({ credential, provider, pin }: CscContext): Json {
  if (credential.secrets.length === 0) return {}
  const [name, another] = credential.secrets
  if (another !== undefined || pin === null || name === 'OTP') {
    throw unavailable('the service wants a secret for every signature that this program does not have')
  }
  return provider.version === 2 ? { authData: [{ id: name, value: pin }] } : { PIN: pin }
}

/** Asks again, by the number that the service gave, until the answer is there. */
async function finished(
  context: CscContext,
  first: Json,
  method: string,
  isDone: (content: Json) => boolean,
): Promise<Json> {
  let answer = first
  for (let round = 0; !isDone(answer); round++) {
    const number =
      stringIn(answer, 'responseID', 'requestID', 'handle') ?? stringIn(first, 'responseID', 'requestID', 'handle')
    if (number === null) throw new SigningError('signing/signature-failed', 'the answer of the service is incomplete')
    if (round === MAX_ROUNDS) throw unavailable('the service did not finish in time')
    await context.wait(Math.min(250 * 2 ** round, 5000))
    const field = method === 'credentials/authorizeCheck' ? 'handle' : 'responseID'
    answer = await context.service.call(method, { [field]: number })
  }
  return answer
}

/** A little more than a minute. */
const MAX_ROUNDS = 17
