/** A tus client for tests that does exactly what it is told. */
import { createHash, randomFillSync } from 'node:crypto'
import type { Reply } from './wire.ts'
import { call } from './wire.ts'

export const UPLOADS = '/api/uploads'

export const OCTETS = 'application/offset+octet-stream'

export function metadata(pairs: Record<string, string | Buffer | null>): string {
  return Object.entries(pairs)
    .map(([key, value]) => (value === null ? key : `${key} ${Buffer.from(value).toString('base64')}`))
    .join(',')
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function randomBytes(length: number): Buffer {
  return randomFillSync(Buffer.alloc(length))
}

/** Sends tus requests to `port`; every one carries Tus-Resumable unless `headers` names it. */
export interface TusCaller {
  post(headers: Record<string, string>, body?: Buffer): Promise<Reply>
  /** creates an upload and returns its address */
  create(length: number | null, extra?: Record<string, string>): Promise<string>
  head(address: string, headers?: Record<string, string>): Promise<Reply>
  patch(address: string, offset: number, body: Buffer, headers?: Record<string, string>): Promise<Reply>
  delete(address: string, headers?: Record<string, string>): Promise<Reply>
}

/** @param standing headers of every POST: authorization and Upload-Metadata */
export function tusCaller(port: () => number, standing: () => Record<string, string>): TusCaller {
  const send = (method: string, path: string, headers: Record<string, string>, body?: Buffer): Promise<Reply> => {
    const all = { 'Tus-Resumable': '1.0.0', ...headers }
    if (body !== undefined) Object.assign(all, { 'Content-Length': String(body.length) })
    return call(port(), { method, path, headers: Object.entries(all), ...(body && { body }) })
  }
  const post = (headers: Record<string, string>, body?: Buffer) =>
    send('POST', UPLOADS, { ...standing(), ...headers }, body ?? Buffer.alloc(0))
  return {
    post,
    create: async (length, extra = {}) => {
      const size = length === null ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }
      const reply = await post({ ...size, ...extra })
      if (reply.status !== 201) throw new Error(`creation was answered with ${reply.status} ${reply.body}`)
      return reply.headers['location'] ?? ''
    },
    head: (address, headers = {}) => send('HEAD', address, headers),
    patch: (address, offset, body, headers = {}) =>
      send('PATCH', address, { 'Content-Type': OCTETS, 'Upload-Offset': String(offset), ...headers }, body),
    delete: (address, headers = {}) => send('DELETE', address, headers),
  }
}
