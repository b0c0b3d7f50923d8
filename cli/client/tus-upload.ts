/**
 * A resumable upload (tus 1.0.0): creation, then PATCH from the offset that the server names, as often as the connection breaks.
 *
 * What is needed to go on after this process is gone lies in a small state file beside the file; it holds the ticket of the upload and is
 * readable by its owner only.
 */
import { createReadStream } from 'node:fs'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { CliError } from '../errors.ts'
import { problemOf, refused, type Answer, type Api } from './api.ts'

export interface UploadJob {
  file: string
  /** id of the room */
  room: string
  /** name that the file gets in the room */
  name: string
  stateFile: string
  onProgress: (sent: number, total: number) => void
  /** told about each break, with the offset that is safe */
  onResume?: (offset: number) => void
}

export interface UploadResult {
  size: number
  /** connections that broke and were taken up again */
  resumed: number
}

const TUS = { 'tus-resumable': '1.0.0' }
/** Failures in a row without a single new byte before the upload gives up; the state file stays. */
const PATIENCE = 8
const LONGEST_PAUSE_MS = 15_000

const stateSchema = z.strictObject({
  origin: z.string(),
  url: z.string(),
  room: z.string(),
  name: z.string(),
  size: z.number(),
  changedAt: z.number(),
})
type State = z.output<typeof stateSchema>

export function stateFileOf(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.amtsbote-upload`)
}

/** Sends the whole file; resolves when the server has acknowledged its last byte. */
export async function uploadFile(api: Api, job: UploadJob): Promise<UploadResult> {
  const facts = await stat(job.file)
  const fresh = { origin: api.origin, room: job.room, name: job.name, size: facts.size, changedAt: facts.mtimeMs }
  const known = await knownState(job.stateFile, fresh)
  let url = known?.url ?? (await create(api, job, fresh))
  let offset = known ? await offsetOf(api, url) : 0
  if (offset === null) {
    url = await create(api, job, fresh)
    offset = 0
  }
  const result = await sendFrom(api, { job, url, size: facts.size }, offset)
  await rm(job.stateFile, { force: true })
  return result
}

interface Running {
  job: UploadJob
  url: string
  size: number
}

async function sendFrom(api: Api, running: Running, start: number): Promise<UploadResult> {
  const { job, url, size } = running
  let offset = start
  let resumed = 0
  let failures = 0
  while (offset < size) {
    const outcome = await patch(api, running, offset)
    if (outcome.kind === 'acknowledged') {
      offset = outcome.offset
      failures = 0
      continue
    }
    failures += 1
    if (failures > PATIENCE) throw gaveUp(offset)
    await delay(Math.min(LONGEST_PAUSE_MS, 250 * 2 ** (failures - 1)))
    const safe = await safeOffset(api, url)
    if (safe === 'gone')
      throw new CliError('cli/server-refused', 'the server no longer knows this upload; start it again')
    if (safe === 'no-answer') continue
    if (safe > offset) failures = 0
    offset = safe
    resumed += 1
    job.onResume?.(offset)
  }
  return { size, resumed }
}

function gaveUp(offset: number): CliError {
  return new CliError(
    'cli/unreachable',
    `the connection broke too often; ${offset} bytes are safe, run the same command again to go on`,
  )
}

async function safeOffset(api: Api, url: string): Promise<number | 'gone' | 'no-answer'> {
  try {
    return (await offsetOf(api, url)) ?? 'gone'
  } catch (error) {
    if (error instanceof CliError && error.code === 'cli/unreachable') return 'no-answer'
    throw error
  }
}

type PatchOutcome = { kind: 'acknowledged'; offset: number } | { kind: 'broken' }

/** Statuses after which asking for the offset and going on is right (conflict, locked, and passing troubles of the server). */
const PASSING = new Set([408, 409, 423, 429, 460, 500, 502, 503, 504])

async function patch(api: Api, { job, url, size }: Running, offset: number): Promise<PatchOutcome> {
  const source = createReadStream(job.file, { start: offset, highWaterMark: 1 << 20 })
  let sent = offset
  source.on('data', (chunk) => {
    sent += chunk.length
    job.onProgress(sent, size)
  })
  let answer: Answer
  try {
    const headers = { ...TUS, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) }
    const body = size === offset ? Buffer.alloc(0) : source
    answer = await api.send({ method: 'PATCH', path: url, headers, body, length: size - offset })
  } catch (error) {
    if (error instanceof CliError && error.code === 'cli/unreachable') return { kind: 'broken' }
    throw error
  } finally {
    source.destroy()
  }
  if (answer.status === 204 || answer.status === 200) {
    answer.body.resume()
    return { kind: 'acknowledged', offset: Number(answer.headers['upload-offset']) }
  }
  const problem = await problemOf(answer).catch(() => ({ type: '', title: '' }))
  if (PASSING.has(answer.status)) return { kind: 'broken' }
  throw refused(answer.status, problem)
}

/** Null: the server does not know the upload any more. */
async function offsetOf(api: Api, url: string): Promise<number | null> {
  const answer = await api.send({ method: 'HEAD', path: url, headers: TUS })
  answer.body.resume()
  if (answer.status === 404 || answer.status === 410) return null
  if (PASSING.has(answer.status))
    throw new CliError('cli/unreachable', `the server is busy (${answer.status}); run the same command again`)
  if (answer.status !== 200) throw refused(answer.status, { type: '', title: '' })
  return Number(answer.headers['upload-offset'])
}

async function create(api: Api, job: UploadJob, fresh: Omit<State, 'url'>): Promise<string> {
  const encode = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
  const metadata = `room ${encode(job.room)},filename ${encode(job.name)}`
  const headers = { ...TUS, 'upload-length': String(fresh.size), 'upload-metadata': metadata, 'content-length': '0' }
  const answer = await api.call({ method: 'POST', path: '/api/uploads', headers })
  answer.body.resume()
  const location = answer.headers.location
  if (location === undefined)
    throw new CliError('cli/server-refused', 'the server named no address for the upload; check --server')
  const address = new URL(location, new URL('/api/uploads', api.origin))
  if (address.origin !== api.origin)
    throw new CliError('cli/server-refused', 'the server points to another server; nothing is sent there')
  const url = address.pathname
  await writeFile(job.stateFile, JSON.stringify({ ...fresh, url }), { mode: 0o600 })
  return url
}

/** The state of an earlier run for the very same file, room and server; null when there is none that fits. */
async function knownState(stateFile: string, fresh: Omit<State, 'url'>): Promise<State | null> {
  let text: string
  try {
    text = await readFile(stateFile, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  const parsed = stateSchema.safeParse(parseJson(text))
  if (!parsed.success) return null
  const same = (Object.keys(fresh) as (keyof typeof fresh)[]).every((key) => parsed.data[key] === fresh[key])
  return same ? parsed.data : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
