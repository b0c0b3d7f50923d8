/**
 * HTTP towards addresses that certificates name, which anybody may have written: never into the own network.
 *
 * The address is checked after the name was resolved, at the connection itself, so that a name cannot show one address
 * to the check and another to the connection. No redirects, no cookies, no credentials but those given.
 */
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { BlockList, isIP } from 'node:net'
import { SigningError } from './errors.ts'
import type { Http, HttpRequest, HttpResponse } from './http.ts'

export interface HttpClientOptions {
  /** host names and addresses that may be asked although they lie in the own network (an own authority) */
  allowedHosts?: readonly string[]
}

/** An `Http` over node:http(s). Rejects with SigningError `signing/fetch-failed`. */
export function createHttpClient({ allowedHosts = [] }: HttpClientOptions = {}): Http {
  return async (request) => {
    const url = parseUrl(request.url)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const isAllowed = allowedHosts.includes(host)
    if (!isAllowed && isIP(host) !== 0 && !isPublicAddress(host)) throw failed('the address lies in a private network')
    try {
      return await exchange(url, request, isAllowed ? undefined : publicLookup)
    } catch (cause) {
      throw cause instanceof SigningError ? cause : failed('no answer', cause)
    }
  }
}

/** Is this address outside of loopback, private, link-local, documentation, multicast and other special ranges? */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 0) return false
  // the list itself looks at the IPv4 address inside ::ffff:0:0/96
  return !SPECIAL.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw failed('this is no web address')
  if (url.username !== '' || url.password !== '') throw failed('a web address must not carry credentials')
  return url
}

function exchange(url: URL, request: HttpRequest, resolver: LookupFunction | undefined): Promise<HttpResponse> {
  const { method, headers, body, timeoutMs, maxBytes } = request
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest
    const signal = AbortSignal.timeout(timeoutMs)
    const length = body === undefined ? {} : { 'content-length': String(body.length) }
    const options = { method, headers: { ...headers, ...length }, signal, agent: false as const }
    const outgoing = send(url, resolver === undefined ? options : { ...options, lookup: resolver }, (answer) => {
      const parts: Buffer[] = []
      let bytes = 0
      answer.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes <= maxBytes) return void parts.push(part)
        reject(failed('the answer is too long'))
        outgoing.destroy()
      })
      answer.on('error', reject)
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: flat(answer.headers), body: Buffer.concat(parts) })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Refuses when any address of the name is special: which of them is taken must not matter. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, '')
      return
    }
    const [first] = addresses
    if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
      callback(failed('the address lies in a private network'), '')
      return
    }
    if (options.all === true) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}

function flat(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}

function failed(message: string, cause?: unknown): SigningError {
  return new SigningError('signing/fetch-failed', message, { cause })
}

/** IANA special-purpose address registries (RFC 6890 and updates). */
const SPECIAL = new BlockList()
for (const range of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '::/128',
  '::1/128',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
]) {
  const [network = '', prefix] = range.split('/')
  SPECIAL.addSubnet(network, Number(prefix), network.includes(':') ? 'ipv6' : 'ipv4')
}
