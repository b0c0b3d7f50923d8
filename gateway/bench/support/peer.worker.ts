/**
 * The peers of the upload benches, one per process; each is set up as its makers recommend.
 *
 * - `pipe-64k`: plain Node server that pipes the request into a file; `pipe-1m`: the same with writes of 1 MiB
 * - `tus-file`: @tus/server with its file store; `flush` adds one fdatasync before its last answer
 * - `tus-none`: @tus/server over a store that throws the bytes away: what the library alone costs
 * - `tus-s3`: @tus/server with its S3 store
 * - `sdk`: a multipart upload by the bare @aws-sdk, of `?bytes=` bytes that lie in memory
 * - `files`: plain Node file server
 */
import { randomFillSync, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { DataStore, Server, Upload } from '@tus/server'
import { FileStore } from '@tus/file-store'
import { S3Store } from '@tus/s3-store'
import type { S3Options } from '../../../storage/objects/s3.ts'
import { bucketClient } from './bucket.ts'
import type { ServerOrder } from './children.ts'

interface PeerOrder extends ServerOrder {
  kind: 'pipe-64k' | 'pipe-1m' | 'tus-file' | 'tus-none' | 'tus-s3' | 'sdk' | 'files'
  flush?: boolean
  s3?: S3Options
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
    case 'sdk':
      return uploadFromMemory(s3Of(order))
    case 'files':
      return sendFile(order.folder)
    case 'tus-file':
    case 'tus-none':
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

function s3Of({ s3 }: PeerOrder): S3Options {
  if (s3 === undefined) throw new Error('no bucket named')
  return s3
}

function tusPeer(order: PeerOrder): Server {
  const { folder, flush } = order
  return new Server({
    path: '/files',
    relativeLocation: true,
    datastore: storeOf(order),
    ...(flush === true && {
      onUploadFinish: async (_request, upload) => {
        await flushFile(join(folder, upload.id))
        return {}
      },
    }),
  })
}

function storeOf(order: PeerOrder): DataStore {
  if (order.kind === 'tus-none') return new ForgetfulStore()
  return order.kind === 'tus-file' ? new FileStore({ directory: order.folder }) : s3Store(s3Of(order))
}

/** Reads what comes, and keeps nothing but its length. */
class ForgetfulStore extends DataStore {
  override extensions = ['creation', 'creation-with-upload']
  readonly #uploads = new Map<string, Upload>()

  override create(upload: Upload): Promise<Upload> {
    this.#uploads.set(upload.id, upload)
    return Promise.resolve(upload)
  }

  override getUpload(id: string): Promise<Upload> {
    return Promise.resolve(this.#uploads.get(id) ?? new Upload({ id, offset: 0 }))
  }

  override async write(readable: Readable, id: string, offset: number): Promise<number> {
    let length = offset
    for await (const chunk of readable as AsyncIterable<Buffer>) length += chunk.length
    this.#uploads.delete(id)
    return length
  }
}

const PART_BYTES = 8 * 1024 * 1024
const PARTS_IN_FLIGHT = 3

function s3Store(s3: S3Options): S3Store {
  return new S3Store({
    partSize: PART_BYTES,
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

/** `?bytes=…` says how much; the request has no body. */
function uploadFromMemory(s3: S3Options): RequestListener {
  const client = bucketClient(s3)
  const bytes = randomFillSync(Buffer.alloc(PART_BYTES))
  return (request, response) => {
    const size = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('bytes'))
    multipart(client, { s3, bytes, size }).then(
      () => response.writeHead(201, { 'content-length': 0 }).end(),
      () => response.destroy(),
    )
  }
}

async function multipart(client: S3Client, work: { s3: S3Options; bytes: Buffer; size: number }): Promise<void> {
  const { bytes, size } = work
  const target = { Bucket: work.s3.bucket, Key: randomUUID() }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
  const Parts: { PartNumber: number; ETag: string | undefined }[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next * PART_BYTES < size) {
      const number = ++next
      const Body = bytes.subarray(0, Math.min(PART_BYTES, size - (number - 1) * PART_BYTES))
      const { ETag } = await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: number, Body }))
      Parts[number - 1] = { PartNumber: number, ETag }
    }
  }
  await Promise.all(Array.from({ length: PARTS_IN_FLIGHT }, worker))
  await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }))
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
