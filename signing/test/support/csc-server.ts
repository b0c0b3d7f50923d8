/**
 * A remote signing service for tests, written from the CSC API 1.0.4 and 2.0.0.2: token, info, list, credential, authorise
 * with hashes pinned to the SAD, sign, poll. OpenSSL signs the hashes. `mood` makes it late, wrong or strict.
 */
import { execFile } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { toPlainValue } from '../../keys/ecdsa-value.ts'

export interface CscMood {
  /** what goes wrong with values */
  values: 'right' | 'swapped' | 'one-missing' | 'other-key' | 'damaged'
  /** status and error of the next call of a method, once */
  fail: { method: string; status: number; error: string } | null
  /** ECDSA as r‖s */
  plainEcdsa: boolean
  asynchronous: boolean
  /** seconds that a SAD lives */
  sadSeconds: number
  multisign: number
  authorisation: 'implicit' | 'pin' | 'pin-and-otp' | 'oauth'
  status: 'enabled' | 'disabled'
  algorithms: string[]
  /** lower-case names and other spellings that are in use */
  oddSpelling: boolean
}

export interface CscServer {
  url: string
  mood: CscMood
  /** method and body of every call, in order */
  calls: { method: string; body: Record<string, unknown>; bearer: string | null }[]
  close: () => Promise<void>
}

export interface CscHolder {
  key: KeyObject
  chain: Buffer[]
}

export const CLIENT = { clientId: 'stadt', clientSecret: 'sehr geheim' }
export const CSC_PIN = '4711'

/** @param other a key that signs when the mood is `other-key` */
export async function startCscServer(version: 1 | 2, holder: CscHolder, other: KeyObject): Promise<CscServer> {
  const folder = mkdtempSync(join(tmpdir(), 'amtsbote-csc-'))
  const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
  writeFileSync(join(folder, 'key.pem'), pem(holder.key), { mode: 0o600 })
  writeFileSync(join(folder, 'other.pem'), pem(other), { mode: 0o600 })
  const calls: CscServer['calls'] = []
  const mood: CscMood = {
    ...{ values: 'right', fail: null, plainEcdsa: false, asynchronous: false, sadSeconds: 300, multisign: 5 },
    ...{ authorisation: 'pin', status: 'enabled', algorithms: [], oddSpelling: false },
  }
  const authorised = new Map<string, string>()
  const waiting = new Map<string, { rounds: number; answer: unknown }>()
  let tokens = 0

  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/csc/v${version}`

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const text = Buffer.concat(parts).toString('utf8')
    const method = (request.url ?? '').slice(`/csc/v${version}/`.length)
    const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded'
    const body = isForm ? Object.fromEntries(new URLSearchParams(text)) : (JSON.parse(text) as Record<string, unknown>)
    const bearer = request.headers.authorization?.replace('Bearer ', '') ?? null
    calls.push({ method, body, bearer })
    const { fail } = mood
    if (fail?.method === method) {
      mood.fail = null
      return { status: fail.status, body: { error: fail.error, errorDescription: `got ${text}` } }
    }
    if (method === 'oauth2/token') return issueToken(body)
    if (method === 'info') return { status: 200, body: info() }
    if (bearer === null || !/^token-\d+$|^given$/.test(bearer)) return refuse(401, 'invalid_token')
    return respond(method, body)
  }

  function issueToken(body: Record<string, unknown>): { status: number; body: unknown } {
    const known = body['client_id'] === CLIENT.clientId && body['client_secret'] === CLIENT.clientSecret
    if (!known || body['grant_type'] !== 'client_credentials') return refuse(400, 'invalid_client')
    return { status: 200, body: { access_token: `token-${++tokens}`, token_type: 'Bearer', expires_in: 3600 } }
  }

  function info(): unknown {
    const methods = ['credentials/list', 'credentials/info', 'credentials/authorize', 'signatures/signHash']
    return {
      specs: version === 2 ? '2.0.0.2' : '1.0.4.0',
      name: 'Test',
      authType: ['oauth2client'],
      oauth2: url,
      methods,
    }
  }

  async function respond(method: string, body: Record<string, unknown>): Promise<{ status: number; body: unknown }> {
    if (method === 'credentials/list') return { status: 200, body: { credentialIDs: ['siegel'] } }
    if (body['credentialID'] !== undefined && body['credentialID'] !== 'siegel') return refuse(400, 'invalid_request')
    if (method === 'credentials/info') return { status: 200, body: credential() }
    if (method === 'credentials/authorize') return authorise(body)
    if (method === 'credentials/extendTransaction') return { status: 200, body: { SAD: pin(hashesOf(body)) } }
    if (method === 'signatures/signHash') return signHash(body)
    if (method === 'signatures/signPolling') return poll(String(body['responseID']))
    return method === 'credentials/authorizeCheck' ? poll(String(body['handle'])) : refuse(404, 'invalid_request')
  }

  function credential(): unknown {
    const key = { status: mood.status, algo: mood.algorithms }
    const cert = { status: 'valid', certificates: holder.chain.map((one) => one.toString('base64')) }
    const scal = mood.oddSpelling ? { scal: '2' } : { SCAL: '2' }
    const { authorisation, multisign } = mood
    const mode = authorisation === 'oauth' ? 'oauth2Code' : authorisation === 'implicit' ? 'implicit' : 'explicit'
    const otp = authorisation === 'pin-and-otp'
    if (version === 1) {
      const secrets = mode === 'explicit' ? { PIN: { presence: 'true' }, OTP: { presence: String(otp) } } : {}
      return { key, cert, authMode: mode, ...secrets, ...scal, multisign }
    }
    const objects = [{ type: 'Password', id: 'PIN' }, ...(otp ? [{ type: 'ChallengeResponse', id: 'OTP' }] : [])]
    return { key, cert, auth: { mode, objects: mode === 'explicit' ? objects : [] }, ...scal, multisign }
  }

  function authorise(body: Record<string, unknown>): { status: number; body: unknown } {
    const hashes = hashesOf(body)
    const given =
      version === 1 ? body['PIN'] : (body['authData'] as { id: string; value: string }[] | undefined)?.[0]?.value
    if (mood.authorisation === 'pin' && given !== CSC_PIN) return refuse(400, 'invalid_pin')
    if (hashes.length === 0 || hashes.length > mood.multisign || body['numSignatures'] !== hashes.length) {
      return refuse(400, 'invalid_request')
    }
    if (version === 2 && body['hashAlgorithmOID'] === undefined) return refuse(400, 'invalid_request')
    const done = { SAD: pin(hashes), expiresIn: mood.sadSeconds }
    return { status: 200, body: mood.asynchronous ? { handle: later(done) } : done }
  }

  function pin(hashes: readonly string[]): string {
    const sad = `sad-${authorised.size}`
    authorised.set(sad, hashes.join())
    return sad
  }

  async function signHash(body: Record<string, unknown>): Promise<{ status: number; body: unknown }> {
    const hashes = hashesOf(body)
    const sad = body['SAD']
    const isPinned = typeof sad === 'string' && authorised.get(sad) === hashes.join()
    if (!isPinned && mood.authorisation !== 'oauth') return refuse(400, 'invalid_request')
    if (typeof sad === 'string') authorised.delete(sad)
    const values = await Promise.all(hashes.map((hash) => signOne(Buffer.from(hash, 'base64'), body)))
    const done = { signatures: wrong(values).map((value) => value.toString('base64')) }
    if (!mood.asynchronous) return { status: 200, body: done }
    return { status: 200, body: mood.oddSpelling ? { requestID: later(done) } : { responseID: later(done) } }
  }

  async function signOne(hash: Buffer, body: Record<string, unknown>): Promise<Buffer> {
    const name = mood.values === 'other-key' ? 'other.pem' : 'key.pem'
    const digest = { 32: 'sha256', 48: 'sha384', 64: 'sha512' }[hash.length] ?? ''
    const padding =
      body['signAlgo'] === '1.2.840.113549.1.1.10'
        ? ['-pkeyopt', 'rsa_padding_mode:pss', '-pkeyopt', 'rsa_pss_saltlen:digest']
        : []
    const options = ['-sign', '-inkey', join(folder, name), '-pkeyopt', `digest:${digest}`, ...padding]
    const running = promisify(execFile)('openssl', ['pkeyutl', ...options], { encoding: 'buffer' })
    running.child.stdin?.end(hash)
    const value = (await running).stdout
    const bits = holder.key.asymmetricKeyDetails?.namedCurve?.match(/\d{3}/)?.[0]
    return mood.plainEcdsa && bits !== undefined ? toPlainValue(value, Math.ceil(Number(bits) / 8)) : value
  }

  function wrong(values: Buffer[]): Buffer[] {
    if (mood.values === 'swapped') return values.reverse()
    if (mood.values === 'one-missing') return values.slice(1)
    if (mood.values === 'damaged') values[0]?.writeUInt8((values[0].at(-1) ?? 0) ^ 1, values[0].length - 1)
    return values
  }

  function later(answer: unknown): string {
    waiting.set(`r${waiting.size}`, { rounds: 2, answer })
    return `r${waiting.size - 1}`
  }

  function poll(number: string): { status: number; body: unknown } {
    const one = waiting.get(number)
    if (one === undefined) return refuse(400, 'invalid_request')
    return one.rounds-- > 0 ? { status: 202, body: {} } : { status: 200, body: one.answer }
  }

  return {
    url,
    mood,
    calls,
    close: async () => {
      rmSync(folder, { recursive: true, force: true })
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function hashesOf(body: Record<string, unknown>): string[] {
  return (body['hashes'] ?? body['hash'] ?? []) as string[]
}

function refuse(status: number, error: string): { status: number; body: unknown } {
  return { status, body: { error, error_description: 'refused' } }
}
