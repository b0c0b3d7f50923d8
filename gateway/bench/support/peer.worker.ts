/**
 * The peers of the upload benches, one per process; each is set up as its makers recommend.
 *
 * - `pipe-64k`: plain Node server that pipes the request into a file; `pipe-1m`: the same with writes of 1 MiB
 * - `tus-file`: @tus/server with its file store; `flush` adds one fdatasync before its last answer
 * - `tus-s3`: @tus/server with its S3 store
 * - `files`: plain Node file server
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Server } from '@tus/server'
import { FileStore } from '@tus/file-store'
import { S3Store } from '@tus/s3-store'
import type { ServerOrder } from './children.ts'

interface PeerOrder extends ServerOrder {
  kind: 'pipe-64k' | 'pipe-1m' | 'tus-file' | 'tus-s3' | 'files'
  flush?: boolean
  s3?: { endpoint: string; bucket: string; accessKeyId: string; secretAccessKey: string; region: string }
}

process.on('disconnect', () => process.exit())
process.once('message', (order: PeerOrder) => {
  const server = createServer(listenerOf(order))
  server.requestTimeout = 0
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
})

function listenerOf(order: PeerOrder): RequestListener {
  switch (order.kind) {
    case 'pipe-64k':
      return receive(order, (request, file) => pipeline(request, createWriteStream(file)))
    case 'pipe-1m':
      return receive(order, writeInMebibytes)
    case 'files':
      return sendFile(order.folder)
    case 'tus-file':
    case 'tus-s3': {
      const library = tusPeer(order)
      return (request, response) => void library.handle(request, response)
    }
  }
}

function receive(
  { folder, flush }: PeerOrder,
  write: (request: IncomingMessage, file: string) => Promise<void>,
): RequestListener {
  return (request, response) => {
    const file = join(folder, (request.url ?? '').replaceAll('/', '_'))
    write(request, file)
      .then(() => (flush === true ? flushFile(file) : undefined))
      .then(
        () => response.writeHead(201, { 'content-length': 0 }).end(),
        () => response.destroy(),
      )
  }
}

async function writeInMebibytes(request: IncomingMessage, path: string): Promise<void> {
  const file = await open(path, 'w')
  const size = 1024 * 1024
  let [filling, writing] = [Buffer.allocUnsafe(size), Buffer.allocUnsafe(size)]
  let [filled, written] = [0, Promise.resolve()]
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      for (let taken = 0; taken < chunk.length;) {
        const count = chunk.copy(filling, filled, taken)
        taken += count
        filled += count
        if (filled < size) continue
        await written
        written = writeAll(file, filling, size)
        ;[filling, writing, filled] = [writing, filling, 0]
      }
    }
    await written
    await writeAll(file, filling, filled)
  } finally {
    await file.close()
  }
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, bytes: Buffer, length: number): Promise<void> {
  for (let done = 0; done < length;) done += (await file.write(bytes, done, length - done)).bytesWritten
}

async function flushFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
}

function tusPeer({ kind, folder, flush, s3 }: PeerOrder): Server {
  const datastore = kind === 'tus-file' ? new FileStore({ directory: folder }) : s3Store(s3)
  return new Server({
    path: '/files',
    relativeLocation: true,
    datastore,
    ...(flush === true && {
      onUploadFinish: async (_request, upload) => {
        await flushFile(join(folder, upload.id))
        return {}
      },
    }),
  })
}

function s3Store(s3: PeerOrder['s3']): S3Store {
  if (s3 === undefined) throw new Error('no bucket named')
  return new S3Store({
    partSize: 8 * 1024 * 1024,
    useTags: false,
    s3ClientConfig: {
      bucket: s3.bucket,
      endpoint: s3.endpoint,
      region: s3.region,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
    },
  })
}

function sendFile(folder: string): RequestListener {
  return (request, response) => {
    const path = join(folder, (request.url ?? '').replaceAll('/', '_'))
    stat(path)
      .then(({ size }) => {
        response.writeHead(200, { 'content-length': size })
        return pipeline(createReadStream(path), response)
      })
      .catch(() => response.destroy())
  }
}
