/** Getting issuers, OCSP answers and CRLs from servers on loopback. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { SigningError } from '../errors.ts'
import { createHttpClient } from '../http-client.ts'
import { accessPoints } from '../trust/access.ts'
import { parseCertificate } from '../trust/certificate.ts'
import { createFetchCache } from '../trust/fetch-cache.ts'
import { createOnline } from '../trust/online.ts'
import type { Collected, OnlineOptions } from '../trust/online.ts'
import { startTestAuthority } from './support/test-authority.ts'
import type { TestAuthority } from './support/test-authority.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const NOTHING = { certificates: [], crls: [], ocsps: [] }

describe('evidence from the network', () => {
  let authority: TestAuthority
  let options: OnlineOptions
  beforeEach(async () => {
    authority = await startTestAuthority(NOW)
    const { http, anchors } = authority
    options = { http, anchors, now: () => authority.now, random: randomBytes, cache: createFetchCache() }
  })
  afterEach(() => authority.close())

  const collect = (certificate: Buffer, issuedAfter = NOW): Promise<Collected> =>
    createOnline(options).collect(
      [{ certificate: parseCertificate(certificate), at: authority.now, issuedAfter }],
      NOTHING,
    )

  it('finds the issuer, the status of the signer by OCSP and of the issuer by CRL', async () => {
    const { evidence, gaps } = await collect(authority.sealKey().certificateChain[0])
    assert.deepEqual(gaps, [])
    assert.deepEqual(authority.asked, ['/issuing.cer', '/ocsp', '/root.crl'])
    assert.deepEqual([evidence.certificates.length, evidence.ocsps.length, evidence.crls.length], [3, 1, 1])
  })

  it('falls back to the CRL when the responder fails', async () => {
    authority.ocspMood = 'http-500'
    const { evidence, gaps } = await collect(authority.sealKey().certificateChain[0])
    assert.deepEqual(gaps, [])
    assert.deepEqual([evidence.ocsps.length, evidence.crls.length], [0, 2])
  })

  it('asks the service for providers that have stopped when their own does not answer', async () => {
    const [certificate] = authority.sealKey().certificateChain
    const [own = ''] = accessPoints(parseCertificate(certificate)).ocsp
    const former = 'http://former.example/ocsp'
    const issuers: string[] = []
    options.http = (request) => {
      if (request.url === own) return Promise.reject(new SigningError('signing/fetch-failed', 'no answer'))
      return authority.http(request.url === former ? { ...request, url: own } : request)
    }
    options.formerServices = ({ sha256 }) => {
      issuers.push(sha256)
      return [former]
    }
    const { evidence, gaps } = await collect(certificate)
    assert.deepEqual(gaps, [])
    assert.equal(evidence.ocsps.length, 1)
    assert.equal(issuers[0], parseCertificate(evidence.certificates[1] ?? Buffer.alloc(0)).sha256)
  })

  it('says that a certificate is revoked', async () => {
    const [certificate] = authority.sealKey().certificateChain
    authority.revoke(certificate, new Date(NOW.getTime() - 60_000))
    const { gaps } = await collect(certificate)
    assert.deepEqual(
      gaps.map(({ reason }) => reason),
      ['revoked'],
    )
  })

  it('asks once, and again when the cache has run out', async () => {
    const [certificate] = authority.sealKey().certificateChain
    await collect(certificate)
    await collect(certificate)
    assert.equal(authority.asked.length, 3)
    authority.now = new Date(NOW.getTime() + 25 * 60 * 60 * 1000)
    await collect(certificate, authority.now)
    assert.equal(authority.asked.length, 6)
  })

  it('waits for evidence that is younger than the signature', async () => {
    const { gaps } = await collect(authority.sealKey().certificateChain[0], new Date(NOW.getTime() + 5000))
    assert.deepEqual(
      gaps.map(({ reason }) => reason),
      ['too-old'],
    )
  })

  it('works offline from what the cache and the caller have', async () => {
    const [certificate] = authority.sealKey().certificateChain
    const { evidence } = await collect(certificate)
    const leaf = { certificate: parseCertificate(certificate), at: NOW }
    const offline = createOnline({ ...options, http: null, cache: createFetchCache() })
    assert.deepEqual((await offline.collect([leaf], evidence)).gaps, [])
    assert.deepEqual(
      (await offline.collect([leaf], NOTHING)).gaps.map(({ reason }) => reason),
      ['no-path'],
    )
  })

  it('is not led into the own network by a certificate', async () => {
    options.http = createHttpClient()
    const { gaps } = await collect(authority.sealKey().certificateChain[0])
    assert.deepEqual(
      gaps.map(({ reason }) => reason),
      ['no-path'],
    )
    assert.deepEqual(authority.asked, [])
  })

  it('forgets what was used longest ago when the cache is full', () => {
    const cache = createFetchCache(10)
    const later = new Date(NOW.getTime() + 1000)
    cache.set('a', Buffer.alloc(6), later)
    cache.set('b', Buffer.alloc(4), later)
    cache.get('a', NOW)
    cache.set('c', Buffer.alloc(4), later)
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => cache.get(key, NOW)?.length),
      [6, undefined, 4],
    )
  })
})
