/**
 * Large documents sealed from file to file, each in a process of its own: time beside copying and hashing the same file,
 * and the most memory that the process ever had. B-B, and B-LTA with a trust service on loopback.
 *
 * Measures the built program as it runs, without the loader of the tests, which takes 50 MB itself.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RandomAccess } from '../index.ts'
import { fillerDocument } from '../test/filler-document.ts'
import { startTestAuthority } from '../test/support/test-authority.ts'

const MIB = 1024 * 1024
const PASSPHRASE = 'nur zum Messen'
type Work = 'copy' | 'B-B' | 'B-LTA'

interface Task {
  work: Work
  input: string
  output: string
  keyFile: string
  passphrase: string
  rootFile: string
  /** of the trust service */
  url: string
}

interface Result {
  seconds: number
  /** MiB */
  idle: number
  peak: number
}

const folder = await mkdtemp(join(tmpdir(), 'amtsbote-large-'))
const authority = await startTestAuthority(new Date())
try {
  const [keyFile, rootFile] = [join(folder, 'key.p12'), join(folder, 'root.cer')]
  await writeFile(keyFile, await authority.sealFile(PASSPHRASE))
  await writeFile(rootFile, authority.root)
  for (const size of [200, 500]) {
    const input = join(folder, `${size}.pdf`)
    await writeAll(input, pieces(fillerDocument(size * MIB)))
    const task = { input, output: `${input}.out`, keyFile, passphrase: PASSPHRASE, rootFile, url: authority.url }
    const copy = await inOwnProcess({ ...task, work: 'copy' })
    for (const work of ['B-B', 'B-LTA'] as const) {
      const { seconds, idle, peak } = await inOwnProcess({ ...task, work })
      const ratio = (seconds / copy.seconds).toFixed(2)
      console.log(
        `${size} MB, ${work}: ${seconds.toFixed(2)} s; copied and hashed in ${copy.seconds.toFixed(2)} s; ratio ${ratio} ` +
          `(goal 3 at most); RSS ${peak.toFixed(0)} MiB at its peak (goal 100 at most), ${(peak - idle).toFixed(0)} more ` +
          `than before (goal 60 at most)`,
      )
    }
  }
} finally {
  await authority.close()
  await rm(folder, { recursive: true })
}

/** Plain JavaScript over dist/, as a program that uses the module would be written. */
function inOwnProcess(task: Task): Promise<Result> {
  const face = JSON.stringify(new URL('../../dist/signing/index.js', import.meta.url).href)
  const client = JSON.stringify(new URL('../../dist/signing/http-client.js', import.meta.url).href)
  const code = `
    import { createHash, randomBytes } from 'node:crypto'
    import { open, readFile } from 'node:fs/promises'
    import * as signing from ${face}
    import { createHttpClient } from ${client}
    const { work, input, output, keyFile, passphrase, rootFile, url } = JSON.parse(process.argv[1])
    const file = await open(input)
    const { size } = await file.stat()
    const source = {
      size,
      async read(position, length) {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position)
        return buffer.subarray(0, bytesRead)
      },
    }
    const at = new Date()
    const { signing: key } = await signing.openPkcs12(await readFile(keyFile), passphrase)
    const http = createHttpClient({ allowedHosts: ['127.0.0.1'] })
    const anchors = [{ certificate: signing.parseCertificate(await readFile(rootFile)), source: 'bench' }]
    const trusts = (certificate, time, pool) => signing.isTrustedTimestamper({ certificate, at: time, pool, anchors })
    const evidence = signing.createOnline({ http, anchors, now: () => at, random: randomBytes, cache: signing.createFetchCache() })
    const services = [{ url: url + '/tsa' }]
    const timestamps = signing.timestampClient({ services, http, now: () => at, random: randomBytes, trusts })
    const idle = process.memoryUsage.rss()
    const start = performance.now()
    const target = await open(output, 'w')
    if (work === 'copy') {
      const hash = createHash('sha256')
      for await (const part of signing.piecesOf(source)) {
        hash.update(part)
        await target.write(part)
      }
      hash.digest()
    } else {
      const wanted = { level: 'B-LTA', sources: { timestamps, evidence } }
      const request = { signedAt: at }
      const sealed =
        work === 'B-B'
          ? await signing.sealPdf(source, key, request)
          : await signing.sealPdfToLevel(source, key, request, wanted)
      for await (const part of sealed.bytes) await target.write(part)
    }
    await target.close()
    const seconds = (performance.now() - start) / 1000
    console.log(JSON.stringify({ seconds, idle: idle / ${MIB}, peak: process.resourceUsage().maxRSS / 1024 }))`
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code, JSON.stringify(task)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (part: Buffer) => (text += part.toString()))
    child.on('close', (status) => {
      if (status === 0) resolve(JSON.parse(text) as Result)
      else reject(new Error(`ended with ${status ?? 'a signal'}`))
    })
  })
}

async function* pieces(source: RandomAccess): AsyncGenerator<Buffer> {
  for (let at = 0; at < source.size; at += MIB / 4) yield source.read(at, Math.min(MIB / 4, source.size - at))
}

async function writeAll(path: string, bytes: AsyncIterable<Buffer>): Promise<void> {
  const file = await open(path, 'w')
  for await (const part of bytes) await file.write(part)
  await file.close()
}
