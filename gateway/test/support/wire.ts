/**
 * HTTP written byte by byte, for requests that no client library would send.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { once } from 'node:events'

export interface Reply {
  status: number
  /** lower-case names; repeated ones joined by a comma */
  headers: Record<string, string>
  body: string
}

export interface Call {
  method: string
  path: string
  headers?: readonly (readonly [string, string])[]
  body?: Buffer | string
}

/** Sends one request as given (nothing but Host is added) and reads one answer. */
export async function call(port: number, request: Call): Promise<Reply> {
  const wire = await Wire.open(port)
  try {
    wire.send(requestHead(request))
    if (request.body !== undefined) wire.send(request.body)
    return await wire.reply(request.method === 'HEAD')
  } finally {
    wire.cut()
  }
}

export function requestHead({ method, path, headers = [] }: Call): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}\r\n`
}

/** A connection that can stall, be cut, and be read from at any moment. */
export class Wire {
  readonly socket: Socket
  #received = ''
  #ended = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => (this.#received += text))
    socket.on('error', () => (this.#ended = true))
    socket.on('close', () => (this.#ended = true))
  }

  static async open(port: number): Promise<Wire> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new Wire(socket)
  }

  send(bytes: Buffer | string): boolean {
    return this.socket.write(bytes)
  }

  cut(): void {
    this.socket.destroy()
  }

  /** Waits for the interim answer 100. */
  async continued(): Promise<void> {
    await this.#until(() => this.#received.startsWith('HTTP/1.1 100 Continue\r\n\r\n'))
    this.#received = this.#received.slice('HTTP/1.1 100 Continue\r\n\r\n'.length)
  }

  /** The next whole answer. @param bodiless it answers a HEAD */
  async reply(bodiless = false): Promise<Reply> {
    const headerEnd = () => this.#received.indexOf('\r\n\r\n')
    await this.#until(() => headerEnd() >= 0)
    const [statusLine = '', ...lines] = this.#received.slice(0, headerEnd()).split('\r\n')
    const headers: Record<string, string> = {}
    for (const line of lines) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
    }
    const start = headerEnd() + 4
    const length = bodiless ? 0 : Number(headers['content-length'] ?? 0)
    await this.#until(() => this.#received.length >= start + length)
    const body = Buffer.from(this.#received.slice(start, start + length), 'latin1').toString()
    this.#received = this.#received.slice(start + length)
    return { status: Number(statusLine.slice(9, 12)), headers, body }
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#ended) throw new Error(`the server hung up after ${JSON.stringify(this.#received.slice(0, 80))}`)
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')])
    }
  }
}
