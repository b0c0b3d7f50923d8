/**
 * The client of the benches: HTTP/1.1 by hand over plain sockets, so that it costs as little as a client can and its
 * cost is the same for every server.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'

export interface UploadTask {
  kind: 'upload'
  port: number
  /**
   * `put`: one PUT to path/number; `tus`: POST, then one PATCH; `tus-whole`: creation-with-upload; `told`: a PUT
   * without a body that only says how many bytes are meant
   */
  protocol: 'put' | 'tus' | 'tus-whole' | 'told'
  path: string
  /** added to every POST */
  headers: Record<string, string>
  count: number
  parallel: number
  bytesEach: number
  /** PATCH bodies no longer than this; null = all in one */
  patchBytes: number | null
}

export interface DownloadTask {
  kind: 'download'
  port: number
  path: string
  headers: Record<string, string>
  count: number
}

export interface LoadResult {
  seconds: number
  bytes: number
  /** addresses that the server gave, in order of completion */
  locations: string[]
  /** seconds of each request, for latencies */
  each: number[]
}

interface Reply {
  status: number
  location: string
  length: number
}

/** The bytes of every upload: random, so that nobody compresses them. */
const BLOCK = randomFillSync(Buffer.alloc(1024 * 1024))

process.on('message', (task: UploadTask | DownloadTask) => {
  const work = task.kind === 'upload' ? upload(task) : download(task)
  work.then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())

async function upload(task: UploadTask): Promise<LoadResult> {
  const result: LoadResult = { seconds: 0, bytes: task.count * task.bytesEach, locations: [], each: [] }
  const connections = await Promise.all(Array.from({ length: task.parallel }, () => Connection.open(task.port)))
  let next = 0
  const started = performance.now()
  await Promise.all(
    connections.map(async (connection) => {
      while (next < task.count) {
        const before = performance.now()
        result.locations.push(await uploadOne(connection, task, next++))
        result.each.push((performance.now() - before) / 1000)
      }
    }),
  )
  result.seconds = (performance.now() - started) / 1000
  for (const connection of connections) connection.close()
  return result
}

async function uploadOne(connection: Connection, task: UploadTask, number: number): Promise<string> {
  const { bytesEach, path } = task
  if (task.protocol === 'put') {
    await connection.request(`PUT ${path}/${number}`, {}, bytesEach, 201)
    return `${path}/${number}`
  }
  if (task.protocol === 'told') {
    await connection.request(`PUT ${path}?bytes=${bytesEach}`, {}, 0, 201)
    return path
  }
  const tus = { 'Tus-Resumable': '1.0.0' }
  const create: Record<string, string> = { ...tus, ...task.headers, 'Upload-Length': String(bytesEach) }
  // every upload is a file of its own; the peers keep the name, too
  const name = `filename ${Buffer.from(`bench-${process.hrtime.bigint()}.bin`).toString('base64')}`
  create['Upload-Metadata'] = [create['Upload-Metadata'], name].filter(Boolean).join(',')
  const body = { 'Content-Type': 'application/offset+octet-stream' }
  if (task.protocol === 'tus-whole') {
    return (await connection.request(`POST ${path}`, { ...create, ...body }, bytesEach, 201)).location
  }
  const { location } = await connection.request(`POST ${path}`, create, 0, 201)
  const target = location.replace(/^https?:\/\/[^/]+/, '')
  const step = task.patchBytes ?? bytesEach
  for (let offset = 0; offset < bytesEach; offset += step) {
    const headers = { ...tus, ...body, 'Upload-Offset': String(offset) }
    await connection.request(`PATCH ${target}`, headers, Math.min(step, bytesEach - offset), 204)
  }
  return location
}

async function download(task: DownloadTask): Promise<LoadResult> {
  const result: LoadResult = { seconds: 0, bytes: 0, locations: [], each: [] }
  const connection = await Connection.open(task.port)
  const started = performance.now()
  for (let index = 0; index < task.count; index++) {
    const before = performance.now()
    const reply = await connection.request(`GET ${task.path}`, task.headers, 0, 'Range' in task.headers ? 206 : 200)
    result.bytes += reply.length
    result.each.push((performance.now() - before) / 1000)
  }
  result.seconds = (performance.now() - started) / 1000
  connection.close()
  return result
}

/** One kept-alive connection, one request at a time. */
class Connection {
  readonly #socket: Socket
  readonly #port: number
  #head: Buffer = Buffer.alloc(0)
  #reply: Reply | null = null
  #left = 0
  #settle: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | null = null

  private constructor(socket: Socket, port: number) {
    this.#socket = socket
    this.#port = port
    socket.on('data', (chunk: Buffer) => {
      this.#take(chunk)
    })
    socket.on('error', (error) => this.#settle?.reject(error))
    socket.on('close', () => this.#settle?.reject(new Error('the server hung up')))
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket, port)
  }

  close(): void {
    this.#settle = null
    this.#socket.destroy()
  }

  /** Sends `line` (method and path) with `bodyBytes` of the common bytes and waits for the whole answer. */
  async request(line: string, headers: Record<string, string>, bodyBytes: number, expected: number): Promise<Reply> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const answered = new Promise<Reply>((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    const length = line.startsWith('GET') ? '' : `Content-Length: ${bodyBytes}\r\n`
    const head = `${line} HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n${lines.join('')}${length}\r\n`
    this.#socket.cork()
    this.#socket.write(head)
    const sent = this.#send(bodyBytes)
    this.#socket.uncork()
    const reply = await answered
    await sent
    if (reply.status !== expected) throw new Error(`${line} was answered with ${reply.status}`)
    return reply
  }

  async #send(bytes: number): Promise<void> {
    for (let left = bytes; left > 0; left -= BLOCK.length) {
      const chunk = left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left)
      if (!this.#socket.write(chunk) && left > BLOCK.length) await once(this.#socket, 'drain')
    }
  }

  #take(chunk: Buffer): void {
    if (this.#reply === null) {
      this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
      const end = this.#head.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = this.#head.subarray(0, end).toString('latin1')
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
      const location = /^location: *(\S+)/im.exec(head)?.[1] ?? ''
      this.#reply = { status: Number(head.slice(9, 12)), location, length }
      this.#left = length - (this.#head.length - end - 4)
      this.#head = Buffer.alloc(0)
    } else {
      this.#left -= chunk.length
    }
    if (this.#left > 0) return
    const reply = this.#reply
    this.#reply = null
    this.#settle?.resolve(reply)
    this.#settle = null
  }
}
