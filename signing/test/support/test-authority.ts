/**
 * A whole trust service on loopback: root, issuing authority, seal certificates, TSA, OCSP responder, CRLs, over HTTP.
 */
import { constants, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as der from '../../asn1/der.ts'
import type { LevelSources } from '../../cms/cades-levels.ts'
import { createHttpClient } from '../../http-client.ts'
import type { Http } from '../../http.ts'
import type { SigningKey } from '../../keys/signing-key.ts'
import { writePkcs12 } from '../../keys/pkcs12-writer.ts'
import { timestampClient } from '../../timestamp/client.ts'
import type { TimestampClientOptions, TimestampSource } from '../../timestamp/client.ts'
import { parseCertificate } from '../../trust/certificate.ts'
import { createFetchCache } from '../../trust/fetch-cache.ts'
import { createOnline } from '../../trust/online.ts'
import { buildPaths, validatePath } from '../../trust/path.ts'
import type { TrustAnchor } from '../../trust/path.ts'
import { issuerAndSerial, ocspAnswer, revocationList, timestampAnswer } from './test-answers.ts'
import type { Revoked, TsaMood } from './test-answers.ts'
import { EXTENSIONS, ecKey, issue, rsaKey } from './test-certificates.ts'
import type { Holder } from './test-certificates.ts'

export interface TestAuthority {
  url: string
  /** DER */
  root: Buffer
  anchors: TrustAnchor[]
  /** of every server; tests may move it */
  now: Date
  tsaMood: TsaMood
  ocspMood: 'ok' | 'http-500' | 'try-later'
  /** paths asked for, in order */
  asked: string[]
  /** an RSA-3072 seal key with OCSP, CRL and issuer addresses in its certificate */
  sealKey(commonName?: string, algorithm?: 'rsa-pkcs1-sha256' | 'rsa-pss-sha256'): SigningKey
  /** the same key as a PKCS#12 file */
  sealFile(passphrase: string): Promise<Buffer>
  revoke(certificate: Buffer, at: Date): void
  timestamps(options?: Partial<TimestampClientOptions>): TimestampSource
  http: Http
  /** time-stamps and evidence as a level LT needs them */
  sources(): LevelSources
  close(): Promise<void>
}

export async function startTestAuthority(now: Date): Promise<TestAuthority> {
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const holders = makeHolders(url, now)
  const { root, issuing, tsa, ocsp } = holders
  const revoked: Revoked[] = []
  const anchors: TrustAnchor[] = [{ certificate: parseCertificate(root.certificate), source: 'test' }]
  const http = createHttpClient({ allowedHosts: ['127.0.0.1'] })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const path = request.url ?? ''
    authority.asked.push(path)
    if (path === '/tsa' && authority.tsaMood === 'silent') return
    const result = respond(path, Buffer.concat(parts))
    response.statusCode = Buffer.isBuffer(result) ? 200 : result
    response.end(Buffer.isBuffer(result) ? result : undefined)
  }

  function respond(path: string, body: Buffer): Buffer | number {
    if (path === '/tsa') {
      return authority.tsaMood === 'http-500' ? 500 : timestampAnswer(body, tsa, authority.now, authority.tsaMood)
    }
    if (path === '/ocsp') {
      if (authority.ocspMood === 'try-later') return der.sequence(der.encode(0x0a, Buffer.from([3])))
      return authority.ocspMood === 'http-500' ? 500 : ocspAnswer(body, ocsp, authority.now, revoked)
    }
    if (path === '/issuing.cer') return issuing.certificate
    if (path === '/root.crl') return revocationList(root, authority.now, revoked)
    return path === '/issuing.crl' ? revocationList(issuing, authority.now, revoked) : 404
  }

  const authority: TestAuthority = {
    url,
    root: root.certificate,
    anchors,
    now,
    tsaMood: 'ok',
    ocspMood: 'ok',
    asked: [],
    http,
    sealKey: (commonName = 'Siegel Übungsstadt', algorithm = 'rsa-pkcs1-sha256') =>
      sealKey({ commonName, algorithm }, holders, { url, now }),
    sealFile: (passphrase) => {
      const { certificateChain } = authority.sealKey()
      const chain = [...certificateChain, issuing.certificate]
      return writePkcs12({ privateKey: (rsa ??= rsaKey()), chain, passphrase, random: randomBytes })
    },
    revoke: (certificate, at) => {
      revoked.push({ serial: der.decode(issuerAndSerial(certificate).serial).content, at })
    },
    timestamps: (options = {}) =>
      timestampClient({
        services: [{ url: `${url}/tsa` }],
        http,
        now: () => authority.now,
        random: (bytes) => Buffer.from(Array.from({ length: bytes }, () => 1 + Math.floor(Math.random() * 250))),
        trusts: (certificate, time, pool) =>
          buildPaths(certificate, pool, anchors).some((path) => validatePath(path, { time }).kind === 'valid'),
        ...options,
      }),
    sources: () => {
      const online = { http, anchors, now: () => authority.now, random: randomBytes, cache: createFetchCache() }
      return { timestamps: authority.timestamps(), evidence: createOnline(online) }
    },
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve, reject) => {
        server.close((error) => {
          if (error) reject(error)
          else resolve()
        })
      })
    },
  }
  return authority
}

interface Holders {
  root: Holder
  issuing: Holder
  tsa: Holder
  ocsp: Holder
}

/** The TSA and the issuing authority hang below the root, with its CRL; the responder below the issuing authority. */
function makeHolders(url: string, now: Date): Holders {
  const validity = { from: years(now, -2), until: years(now, 10) }
  const rootCrl = EXTENSIONS.crl(`${url}/root.crl`)
  const rootWish = { commonName: 'Test Root', key: ecKey(), issuer: null, ...validity }
  const root = issue({ ...rootWish, extensions: EXTENSIONS.ca() })
  const issuing = issue({
    commonName: 'Test Issuing CA',
    key: ecKey(),
    issuer: root,
    ...validity,
    extensions: [...EXTENSIONS.ca(), rootCrl],
  })
  const tsa = issue({
    commonName: 'Test TSA',
    key: ecKey(),
    issuer: root,
    ...validity,
    extensions: [...EXTENSIONS.signer(), EXTENSIONS.timeStamping(), rootCrl],
  })
  const responder = [...EXTENSIONS.signer(), EXTENSIONS.ocspSigning(), EXTENSIONS.ocspNoCheck()]
  const ocsp = issue({ commonName: 'Test OCSP', key: ecKey(), issuer: issuing, ...validity, extensions: responder })
  return { root, issuing, tsa, ocsp }
}

let rsa: KeyObject | undefined

function sealKey(
  { commonName, algorithm }: { commonName: string; algorithm: 'rsa-pkcs1-sha256' | 'rsa-pss-sha256' },
  { issuing }: Holders,
  { url, now }: { url: string; now: Date },
): SigningKey {
  const key = (rsa ??= rsaKey())
  const padding =
    algorithm === 'rsa-pss-sha256'
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { padding: constants.RSA_PKCS1_PADDING }
  const { certificate } = issue({
    commonName,
    key,
    issuer: issuing,
    from: years(now, -1),
    until: years(now, 2),
    extensions: [
      ...EXTENSIONS.signer(),
      EXTENSIONS.access(`${url}/ocsp`, `${url}/issuing.cer`),
      EXTENSIONS.crl(`${url}/issuing.crl`),
    ],
  })
  return {
    certificateChain: [certificate],
    algorithm,
    kind: 'advanced',
    signatureBytes: 384,
    sign: (messages) => Promise.resolve(messages.map((message) => sign('sha256', message, { key, ...padding }))),
  }
}

const years = (from: Date, count: number): Date => new Date(from.getTime() + count * 365 * 24 * 60 * 60 * 1000)
