import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { clientAddressReader } from '../http/client-address.ts'

function from(remoteAddress: string, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage
}

describe('clientAddressReader', () => {
  it('ignores what strangers say about themselves', () => {
    const read = clientAddressReader([])
    assert.equal(read(from('203.0.113.9', '10.0.0.1')), '203.0.113.9')
  })

  it('believes a trusted proxy, and only the part that it wrote', () => {
    const read = clientAddressReader(['10.0.0.0/8'])
    assert.equal(read(from('10.0.0.5', '198.51.100.7')), '198.51.100.7')
    assert.equal(read(from('10.0.0.5', '1.2.3.4, 198.51.100.7, 10.0.0.6')), '198.51.100.7')
    assert.equal(read(from('203.0.113.9', '198.51.100.7')), '203.0.113.9')
  })

  it('stops at what is no address', () => {
    const read = clientAddressReader(['10.0.0.0/8'])
    assert.equal(read(from('10.0.0.5', '198.51.100.7, unknown')), '10.0.0.5')
    assert.equal(read(from('10.0.0.5', '')), '10.0.0.5')
  })

  it('takes IPv4 over an IPv6 socket as IPv4, and IPv6 by its /64', () => {
    const read = clientAddressReader(['::1', '10.0.0.5'])
    assert.equal(read(from('::ffff:10.0.0.5', '198.51.100.7')), '198.51.100.7')
    assert.equal(read(from('::1', '2001:db8:1:2:3:4:5:6')), '2001:db8:1:2::/64')
    assert.equal(read(from('2001:db8::7')), '2001:db8:0:0::/64')
  })

  it('refuses a setting that is no network', () => {
    for (const entry of ['10.0.0.0/33', 'proxy.example', '10.0.0.0/8/8', '::1/-1', '10.0.0.0/x']) {
      assert.throws(() => clientAddressReader([entry]), { code: 'gateway/bad-input' }, entry)
    }
  })
})
