import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:https'
import { connect } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { randomBytes } from 'node:crypto'
import forge from 'node-forge'
import { checkConfigFiles } from '../config-files.ts'
import { parseConfig } from '../config.ts'
import { listen, type HttpServer } from '../http-server.ts'
import { makeTrialIdentity } from '../../signing/index.ts'

const PLAIN = parseConfig('listen: 127.0.0.1:0', '/nowhere/amtsbote.yaml', null)

describe('http server', function () {
  this.timeout(30_000)
  let server: HttpServer | null = null
  afterEach(async () => {
    await server?.stop(0)
    server = null
  })
  const start = async (config = PLAIN): Promise<HttpServer> => (server = await listen(config))

  it('tells everybody to come back until there is somebody to answer', async () => {
    const { port, answerWith } = await start()
    const early = await fetch(`http://127.0.0.1:${port}/`)
    assert.equal(early.status, 503)
    assert.equal(early.headers.get('retry-after'), '1')
    answerWith((_request, response) => response.end('here'))
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'here')
  })

  it('lets a running answer end before it stops, and cuts it when it takes too long', async () => {
    const { port, answerWith, stop } = await start()
    let finish = (): void => assert.fail('nobody asked')
    answerWith((_request, response) => {
      finish = () => response.end('whole')
    })
    const asked = fetch(`http://127.0.0.1:${port}/`)
    while (finish.toString().includes('nobody asked')) await new Promise((resolve) => setImmediate(resolve))
    const stopped = stop(60_000)
    finish()
    assert.equal(await (await asked).text(), 'whole')
    await stopped

    const second = await start()
    const heard = new Promise<void>((resolve) => {
      second.answerWith(() => {
        resolve()
      })
    })
    const never = assert.rejects(fetch(`http://127.0.0.1:${second.port}/`))
    await heard
    await second.stop(10)
    await never
  })

  it('answers what is no HTTP with 400, and huge headers with a refusal', async () => {
    const { port, answerWith } = await start()
    answerWith((_request, response) => response.end('fine'))
    for (const text of [
      'nonsense\r\n\r\n',
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`,
      'GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
    ]) {
      const socket = connect(port, '127.0.0.1')
      socket.write(text)
      const [answer] = (await once(socket.setEncoding('utf8'), 'data')) as [string]
      assert.match(answer, /^HTTP\/1\.1 4\d\d /)
      socket.destroy()
    }
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
  })

  describe('with tls', () => {
    let folder: string
    beforeEach(() => {
      folder = mkdtempSync(path.join(os.tmpdir(), 'amtsbote-tls-'))
    })
    afterEach(() => {
      rmSync(folder, { recursive: true })
    })
    const pemPair = async () => {
      const passphrase = 'a passphrase of tests'
      const made = await makeTrialIdentity({
        ...{ commonName: 'localhost', organisation: 'Test', usage: 'osci-signature', passphrase },
        now: new Date(),
        random: randomBytes,
      })
      const p12 = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(made.pkcs12.toString('binary')), passphrase)
      const [bag] =
        p12.getBags({ bagType: forge.pki.oids['pkcs8ShroudedKeyBag'] ?? '' })[
          forge.pki.oids['pkcs8ShroudedKeyBag'] ?? ''
        ] ?? []
      const key = forge.pki.privateKeyToPem(bag?.key ?? assert.fail('no key'))
      const certificate = `-----BEGIN CERTIFICATE-----\n${made.certificate.toString('base64')}\n-----END CERTIFICATE-----\n`
      return { key, certificate }
    }
    const config = (certificate: string, key: string) => {
      writeFileSync(path.join(folder, 'c.pem'), certificate)
      writeFileSync(path.join(folder, 'k.pem'), key)
      return parseConfig(
        'listen: 127.0.0.1:0\ntls: { certificateFile: c.pem, keyFile: k.pem }',
        path.join(folder, 'amtsbote.yaml'),
        null,
      )
    }

    it('serves HTTPS with the certificate of the configuration', async () => {
      const { key, certificate } = await pemPair()
      const { port, answerWith } = await start(config(certificate, key))
      answerWith((_request, response) => response.end('safe'))
      const request = get({
        host: '127.0.0.1',
        port,
        agent: false,
        ca: certificate,
        checkServerIdentity: () => undefined,
        rejectUnauthorized: false,
      })
      const [answer] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
      assert.equal(answer.statusCode, 200)
      answer.destroy()
    })

    it('refuses a key that does not belong to the certificate, and files that are none', async () => {
      const [one, other] = await Promise.all([pemPair(), pemPair()])
      await assert.rejects(listen(config(one.certificate, other.key)), {
        code: 'cli/bad-config',
        message: /tls\.keyFile: .*k\.pem does not belong to the certificate in .*c\.pem/,
      })
      await assert.rejects(listen(config('nothing', 'nothing')), {
        code: 'cli/bad-config',
        message: /tls\.certificateFile: .*c\.pem holds no certificate/,
      })
      assert.throws(() => {
        checkConfigFiles(config(one.certificate, other.key))
      }, /tls\.keyFile: .*does not belong/)
      checkConfigFiles(config(one.certificate, one.key))
      rmSync(path.join(folder, 'k.pem'))
      const lost = parseConfig(
        'listen: 127.0.0.1:0\ntls: { certificateFile: c.pem, keyFile: k.pem }',
        path.join(folder, 'amtsbote.yaml'),
        null,
      )
      await assert.rejects(listen(lost), { code: 'cli/bad-config', message: /tls\.keyFile/ })
    })
  })
})
