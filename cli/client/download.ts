/**
 * A download that goes on after a break: ranges into `<target>.part`, then the digest, then the name.
 *
 * A part that is left from an earlier run is taken up only when the server still has the same version (If-Range with its ETag).
 */
import { createWriteStream } from 'node:fs'
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { sha256OfFile } from '../digest.ts'
import { CliError } from '../errors.ts'
import type { Answer, Api } from './api.ts'

export interface DownloadJob {
  /** id of the file */
  fileId: string
  target: string
  size: number
  /** hex; null = the server does not know it yet */
  sha256: string | null
  onProgress: (received: number, total: number) => void
}

const PATIENCE = 8
const LONGEST_PAUSE_MS = 15_000

/** Resolves when the whole file lies at `target` and its digest is right; `resumed` counts the breaks. */
export async function downloadFile(api: Api, job: DownloadJob): Promise<{ resumed: number; sha256: string }> {
  const part = `${job.target}.part`
  let resumed = 0
  let failures = 0
  let received = await sizeOf(part)
  while (received < job.size || (job.size === 0 && failures === 0)) {
    const before = received
    const outcome = await fetchRest(api, job, received)
    received = await sizeOf(part)
    if (outcome === 'whole') break
    failures = received > before ? 1 : failures + 1
    resumed += 1
    if (failures > PATIENCE) {
      throw new CliError(
        'cli/unreachable',
        `the connection broke too often; ${received} bytes are kept, run the same command again to go on`,
      )
    }
    await delay(Math.min(LONGEST_PAUSE_MS, 250 * 2 ** (failures - 1)))
  }
  const sha256 = await sha256OfFile(part)
  if (job.sha256 !== null && sha256 !== job.sha256) {
    await forget(job.target)
    throw new CliError(
      'cli/check-failed',
      'the bytes received do not have the digest that the server names; they were removed, try again',
    )
  }
  const handle = await open(part, 'r+')
  await handle.sync()
  await handle.close()
  await rename(part, job.target)
  await rm(`${job.target}.part-of`, { force: true })
  return { resumed, sha256 }
}

async function fetchRest(api: Api, job: DownloadJob, received: number): Promise<'whole' | 'broken'> {
  const answer = await request(api, job, received)
  if (answer === 'broken') return answer
  const start = answer.status === 206 ? received : 0
  if (start === 0) await writeFile(`${job.target}.part-of`, answer.headers.etag ?? '', { mode: 0o600 })
  const file = createWriteStream(`${job.target}.part`, { flags: start === 0 ? 'w' : 'a', mode: 0o600 })
  try {
    await pipeline(answer.body, counter(job, start), file)
    return 'whole'
  } catch (error) {
    if (isLocalFault(error)) throw error
    return 'broken'
  }
}

async function request(api: Api, job: DownloadJob, received: number): Promise<Answer | 'broken'> {
  const known = await knownTag(job.target)
  const headers = received > 0 && known !== null ? { range: `bytes=${received}-`, 'if-range': known } : {}
  try {
    return await api.call({ method: 'GET', path: `/api/files/${job.fileId}/content`, headers })
  } catch (error) {
    if (error instanceof CliError && error.code === 'cli/unreachable') return 'broken'
    throw error
  }
}

function counter(job: DownloadJob, start: number): Transform {
  let done = start
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      done += chunk.length
      job.onProgress(done, job.size)
      next(null, chunk)
    },
  })
}

/** Faults of our own disk: trying again does not help. */
const LOCAL_FAULTS = new Set(['ENOSPC', 'EACCES', 'EDQUOT', 'EIO', 'EROFS', 'EISDIR', 'ENOENT'])

function isLocalFault(error: unknown): boolean {
  return error instanceof Error && 'code' in error && LOCAL_FAULTS.has(String(error.code))
}

async function knownTag(target: string): Promise<string | null> {
  try {
    const tag = await readFile(`${target}.part-of`, 'utf8')
    return tag === '' ? null : tag
  } catch {
    return null
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch {
    return 0
  }
}

async function forget(target: string): Promise<void> {
  await rm(`${target}.part`, { force: true })
  await rm(`${target}.part-of`, { force: true })
}
