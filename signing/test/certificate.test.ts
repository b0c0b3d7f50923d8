import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import * as der from '../asn1/der.ts'
import { SigningError, readCertificate } from '../index.ts'
import { parseCertificate } from '../trust/certificate.ts'
import { trialKey } from './trial-key.ts'

const name = (commonName: string): Buffer =>
  der.sequence(der.setOf(der.sequence(der.oid('2.5.4.3'), der.utf8String(commonName))))
const extension = (id: string, value: Buffer): Buffer => der.sequence(der.oid(id), der.octetString(value))
const statements = (...ids: string[]): Buffer =>
  extension('1.3.6.1.5.5.7.1.3', der.sequence(...ids.map((id) => der.sequence(der.oid(id)))))

const COMPLIANCE = '0.4.0.1862.1.1'
const DEVICE = '0.4.0.1862.1.4'
const OTHER_LAW = '0.4.0.1862.1.7'

/** The trial certificate with another issuer and other extensions; its own signature no longer fits, and need not. */
async function certificate(issuer: Buffer, ...extensions: Buffer[]): Promise<Buffer> {
  const [tbs, ...rest] = der.children(der.decode((await trialKey()).certificate))
  const fields = der.childrenOf(tbs, der.TAG.sequence).map(({ encoding }) => encoding)
  fields[3] = issuer
  fields[7] = der.encode(0xa3, der.sequence(...extensions))
  return der.sequence(der.sequence(...fields), ...rest.map(({ encoding }) => encoding))
}

describe('the kind of a certificate', () => {
  const kindOf = async (...extensions: Buffer[]) => readCertificate(await certificate(name('CA'), ...extensions)).kind

  it('is qualified only when it claims compliance and a qualified device under EU law', async () => {
    assert.equal(await kindOf(statements(COMPLIANCE, DEVICE)), 'qualified')
    assert.equal(await kindOf(statements(COMPLIANCE)), 'advanced')
    assert.equal(await kindOf(statements(DEVICE)), 'advanced')
    assert.equal(await kindOf(statements(COMPLIANCE, DEVICE, OTHER_LAW)), 'advanced')
    assert.equal(await kindOf(statements()), 'advanced')
    assert.equal(await kindOf(), 'advanced')
  })

  it('is trial when it issued itself, whatever it claims', async () => {
    const [tbs] = der.children(der.decode((await trialKey()).certificate))
    const subject = der.childrenOf(tbs, der.TAG.sequence)[5]?.encoding ?? Buffer.alloc(0)
    assert.equal(readCertificate(await certificate(subject, statements(COMPLIANCE, DEVICE))).kind, 'trial')
  })

  it('is trial when the trial policy is in it, whatever it claims', async () => {
    const policy = '2.25.180251279085002730966046619966334977850'
    const policies = extension(
      '2.5.29.32',
      der.sequence(der.sequence(der.oid('2.5.29.32.0')), der.sequence(der.oid(policy))),
    )
    assert.equal(await kindOf(policies, statements(COMPLIANCE, DEVICE)), 'trial')
  })

  it('is not told when an extension stands there twice', async () => {
    await assert.rejects(kindOf(statements(COMPLIANCE), statements(DEVICE)), { code: 'signing/asn1-damaged' })
  })
})

describe('certificates that were read before', () => {
  const withBytes = (count: number, number = 0) =>
    certificate(name(`CA ${number}`), extension('1.2.3', Buffer.alloc(count)))

  it('are the same object again', async () => {
    const der = await withBytes(1000)
    assert.equal(parseCertificate(der), parseCertificate(Buffer.from(der)))
  })

  it('are not kept when they are large', async () => {
    const der = await withBytes(9000)
    assert.notEqual(parseCertificate(der), parseCertificate(der))
  })

  it('are forgotten after 2 MiB of others, those in use last', async () => {
    const [first, used] = [await withBytes(1000, 1), await withBytes(1000, 2)]
    const [before, usedBefore] = [parseCertificate(first), parseCertificate(used)]
    for (let number = 3; number < 303; number++) {
      parseCertificate(await withBytes(7000, number))
      parseCertificate(used)
    }
    assert.equal(parseCertificate(used), usedBefore)
    assert.notEqual(parseCertificate(first), before)
  })
})

describe('readCertificate', () => {
  it('answers any bytes and any changed certificate with its own code or with facts', async () => {
    const whole = (await trialKey()).certificate
    const read = (bytes: Buffer): void => {
      try {
        readCertificate(bytes)
      } catch (error) {
        assert.ok(error instanceof SigningError)
        assert.equal(error.code, 'signing/asn1-damaged')
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        read(Buffer.from(bytes))
      }),
    )
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const changed = Buffer.from(whole)
        changed[at] = value
        read(changed)
        read(whole.subarray(0, at))
      }),
      { numRuns: 300 },
    )
  })
})

describe('DER', () => {
  it('reads back what it wrote', () => {
    const content = fc.uint8Array({ maxLength: 70_000 })
    fc.assert(
      fc.property(content, fc.constantFrom(0x04, 0x30, 0xa0, 0x80), (bytes, tag) => {
        const element = der.decode(der.encode(tag, Buffer.from(bytes)))
        assert.equal(element.tag, tag)
        assert.ok(element.content.equals(Buffer.from(bytes)))
      }),
    )
    const arcs = fc.array(fc.bigInt({ min: 0n, max: 1n << 128n }), { maxLength: 3 })
    fc.assert(
      fc.property(fc.nat(2), fc.nat(39), arcs, (first, second, rest) => {
        const dotted = [first, second, ...rest].join('.')
        assert.equal(der.readOid(der.decode(der.oid(dotted))), dotted)
      }),
    )
  })

  it('writes times as certificates want them', () => {
    for (const text of ['2026-11-23T23:59:59.000Z', '2049-12-31T23:59:59.000Z', '2050-01-01T00:00:00.000Z']) {
      const element = der.decode(der.time(new Date(text)))
      assert.equal(element.tag, text < '2050' ? der.TAG.utcTime : der.TAG.generalizedTime)
      assert.equal(der.readTime(element).toISOString(), text)
    }
    for (const text of ['2613010000Z', '261301000000Z', '261123100000', '26112310000Z']) {
      const element = der.decode(der.encode(der.TAG.utcTime, Buffer.from(text)))
      assert.throws(() => der.readTime(element), { code: 'signing/asn1-damaged' }, text)
    }
  })

  it('refuses lengths that are indefinite, overlong or beyond the end, and bytes that follow', () => {
    for (const hex of [
      '',
      '30',
      '3080',
      '308100',
      '30820001ff',
      '3001',
      '300080',
      '300000',
      '1f0100',
      '3085000000000100',
    ]) {
      const bytes = Buffer.from(hex, 'hex')
      assert.throws(() => der.decode(bytes), { code: 'signing/asn1-damaged' }, hex)
    }
  })
})

describe('a certificate that was tampered with', () => {
  it('is read only where OpenSSL reads it, too', async () => {
    const whole = (await trialKey()).certificate
    let refusedByOpenSslAlone = 0
    for (let at = 0; at < whole.length; at++) {
      for (const bit of [0x01, 0x04, 0x20]) {
        const changed = Buffer.from(whole)
        changed.writeUInt8(changed.readUInt8(at) ^ bit, at)
        if (isReadable(() => readCertificate(changed))) assert.ok(new X509Certificate(changed).publicKey)
        else if (isReadable(() => parseCertificate(changed))) refusedByOpenSslAlone++
      }
    }
    assert.ok(refusedByOpenSslAlone > 0)
  })
})

function isReadable(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    assert.ok(error instanceof SigningError)
    return false
  }
}
