/**
 * Which address a request comes from.
 *
 * `X-Forwarded-For` is believed only as far as trusted proxies wrote it: the list is read from its end, and the
 * first address that is not a trusted proxy is the client. Without trusted proxies the header means nothing.
 */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { GatewayError } from '../errors.ts'

/** Answers the client's address in a form that is fit as a key of a rate limit (IPv6 by its /64). */
export type ClientAddress = (request: IncomingMessage) => string

/**
 * @param trustedProxies addresses or networks, such as `10.0.0.5` or `fd00::/8`
 * @throws GatewayError `gateway/bad-input` an entry is neither
 */
export function clientAddressReader(trustedProxies: readonly string[]): ClientAddress {
  const trusted = proxyList(trustedProxies)
  const isTrusted = (address: string) => trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

  return (request) => {
    let address = plain(request.socket.remoteAddress ?? '')
    // Asking the list costs an object for each address, and mostly there is no list.
    if (trustedProxies.length === 0 || isIP(address) === 0 || !isTrusted(address)) return limitKey(address)
    const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
    for (const entry of forwarded.reverse()) {
      const hop = plain(entry.trim())
      if (isIP(hop) === 0) break
      address = hop
      if (!isTrusted(hop)) break
    }
    return limitKey(address)
  }
}

function proxyList(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = entry.split('/')
    const family = isIP(address)
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix)
    if (family === 0 || rest.length > 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 6 ? 128 : 32)) {
      throw new GatewayError('gateway/bad-input', { message: 'a trusted proxy is neither an address nor a network' })
    }
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

/** IPv4 that arrived over an IPv6 socket, without its `::ffff:`. */
function plain(address: string): string {
  return address.toLowerCase().startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}

/** One household or office has a whole IPv6 /64; counting single addresses would limit nobody. */
function limitKey(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail = ''] = address.split('%', 1).join('').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const gap = address.includes('::') ? Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0') : []
  return `${[...left, ...gap, ...right].slice(0, 4).join(':')}::/64`
}
