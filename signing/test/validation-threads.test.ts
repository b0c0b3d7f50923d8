/** Validation in threads of its own: the same reports, and an end for what takes too much. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { HttpRequest } from '../http.ts'
import { SigningError, bufferAccess, validateDocument } from '../index.ts'
import type { RandomAccess, ValidationReport } from '../index.ts'
import { startTestThreads } from './support/validation-threads.ts'

const FIXTURES = new URL('fixtures/validation/', import.meta.url)
const read = (name: string): Buffer => readFileSync(new URL(name, FIXTURES))
const NOW = new Date('2026-11-23')
const saying = (text: string): RandomAccess => bufferAccess(Buffer.from(text))

describe('validation threads', function () {
  this.timeout(60_000)
  const shared = startTestThreads({ threads: 2 })
  let threads = shared
  afterEach(async () => {
    if (threads !== shared) await threads.close()
    threads = shared
  })
  after(() => shared.close())

  const validate = (document: RandomAccess, content: RandomAccess | null = null): Promise<ValidationReport> =>
    threads.validate({ document, content, now: NOW })
  const headline = async (text: string): Promise<string> => (await validate(saying(text))).headline

  it('give the report that the main thread gives, for every format', async () => {
    const names = ['pades-b-b-A.pdf', 'cades-lta-A.p7s', 'xades-enveloped-LTA-A.xml', 'asice-cades-LTA-A.asice']
    const content = bufferAccess(Buffer.from('some other content'))
    for (const name of names) {
      const document = bufferAccess(read(name))
      const here = await validateDocument(document, {
        ...{ anchors: [], now: NOW, producer: 'test' },
        detached: () => content,
      })
      assert.deepEqual(await validate(document, content), here, name)
    }
  })

  it('hand on only the bytes that were asked for', async () => {
    const around = Buffer.concat([Buffer.alloc(1000, 'secret'), read('pades-b-b-A.pdf'), Buffer.alloc(1000, 'secret')])
    const { document } = await validate(bufferAccess(around.subarray(1000, -1000)))
    assert.equal(document.sizeBytes, around.length - 2000)
  })

  it('end a document that takes too long, and validate the next one', async () => {
    threads = startTestThreads({ thinkingMs: 100 })
    await assert.rejects(validate(saying('spin')), { code: 'signing/too-complex' })
    assert.equal(await headline('plain text'), 'unsigned')
  })

  it('end a document that takes too much memory, and validate the next one', async () => {
    threads = startTestThreads({ memoryMb: 64 })
    await assert.rejects(validate(saying('grow')), { code: 'signing/too-complex' })
    assert.equal(await headline('plain text'), 'unsigned')
  })

  it('say that the validation broke off when a thread dies, and validate the next one', async () => {
    await assert.rejects(validate(saying('die')), { code: 'signing/validation-lost' })
    assert.equal(await headline('plain text'), 'unsigned')
  })

  it('go on with other documents while one is computed', async () => {
    let isDone = false
    const slow = validate(saying('wait')).finally(() => (isDone = true))
    assert.equal(await headline('plain text'), 'unsigned')
    assert.equal(isDone, false)
    threads.letGo()
    assert.equal((await slow).headline, 'unsigned')
  })

  it('begin what waits once a thread is free, also after one ended', async () => {
    threads = startTestThreads()
    const all = await Promise.allSettled([validate(saying('die')), validate(saying('one')), validate(saying('two'))])
    assert.deepEqual(
      all.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled'],
    )
  })

  it('do not count the time in which they wait for bytes', async () => {
    threads = startTestThreads({ thinkingMs: 2_000 })
    await validate(saying('the thread runs from here on'))
    const slow: RandomAccess = {
      size: 4,
      read: () => new Promise((resolve) => setTimeout(resolve, 2_500, Buffer.from('late'))),
    }
    assert.equal((await validate(slow)).headline, 'unsigned')
  })

  it('pass on faults of the source with their code, and unforeseen ones as they are', async () => {
    const broken = (error: Error): RandomAccess => ({ size: 10, read: () => Promise.reject(error) })
    await assert.rejects(validate(broken(new SigningError('signing/source-changed', 'shrank'))), {
      code: 'signing/source-changed',
    })
    await assert.rejects(validate(broken(new Error('the disk is gone'))), /the disk is gone/)
    assert.equal(await headline('plain text'), 'unsigned')
  })

  describe('with a network', () => {
    const ask: HttpRequest = {
      ...{ method: 'POST', url: 'http://ocsp.example', maxBytes: 10, timeoutMs: 5_000 },
      body: Buffer.from('question'),
    }
    const undecided = bufferAccess(read('pades-b-b-A.pdf'))

    it('ask through the main thread', async () => {
      const asked: HttpRequest[] = []
      threads = startTestThreads({
        ask,
        http: (request) => {
          asked.push(request)
          return Promise.resolve({ status: 200, headers: {}, body: Buffer.from('answer') })
        },
      })
      await validate(undecided)
      assert.deepEqual(asked, [ask])
    })

    it('give an exchange no longer than what is left for the document, and none when nothing is left', async () => {
      const waits: number[] = []
      const http = (request: HttpRequest): Promise<never> => {
        waits.push(request.timeoutMs)
        return Promise.reject(new SigningError('signing/fetch-failed', 'no answer'))
      }
      threads = startTestThreads({ ask, http, networkMs: 1_000 })
      await validate(undecided)
      await threads.close()
      threads = startTestThreads({ ask, http, networkMs: 0 })
      assert.equal((await validate(undecided)).headline, 'undecided')
      assert.deepEqual(waits, [1_000])
    })
  })

  it('give up what runs and what waits when they are closed', async () => {
    threads = startTestThreads()
    const all = [validate(saying('wait')), validate(saying('next'))].map((one) =>
      assert.rejects(one, { code: 'signing/validation-lost' }),
    )
    await threads.close()
    await Promise.all(all)
    await assert.rejects(validate(saying('later')), { code: 'signing/validation-lost' })
  })
})
