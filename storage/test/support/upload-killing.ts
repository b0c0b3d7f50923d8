/** Uploads whose process is killed (kill -9): nothing acknowledged is lost, the file is identical, no object is left over. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { openObjects, type ObjectsConfig } from '../../objects/open.ts'
import { byteHouse, OPERATOR } from './byte-house.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { runningClock, seededBytes, type ChildOrder } from './upload-child.ts'

const PROVE = process.env['AMTSBOTE_PROVE'] === '1'
const CHILD = fileURLToPath(new URL('upload-child.ts', import.meta.url))
export const MIB = 1024 * 1024

interface Run {
  /** bytes of the last answer that came before the end */
  acknowledged: number
  done: boolean
}

/** Starts a child, lets it run for so long after its first sign of life, then kills it without notice. */
async function runAndKill(order: ChildOrder, afterMs: number): Promise<Run> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const run: Run = { acknowledged: 0, done: false }
  for await (const line of createInterface(child.stdout)) {
    if (line === 'ready') void pause(afterMs).then(() => child.kill('SIGKILL'))
    else if (line === 'done') run.done = true
    else run.acknowledged = Number(line)
  }
  await ended
  return run
}

/**
 * A test of one store: uploads run in a process that is killed over and over.
 *
 * @param how `size` of each upload and of each `request`, in bytes
 */
export function killSuite(
  name: string,
  openConfig: (folder: string) => Promise<ObjectsConfig>,
  how: { size: number; request: number },
): void {
  const kills = PROVE ? 500 : 3
  it(`stays whole on ${name} when its process is killed, ${kills} times`, async function () {
    this.timeout(PROVE ? 4 * 3_600_000 : 120_000)
    const seed = Number(process.env['AMTSBOTE_SEED'] ?? randomInt(2 ** 31))
    console.log(`      seed ${seed}`)
    const folder = temporaryFolder()
    const config = await openConfig(folder)
    const database = { kind: 'sqlite' as const, path: join(folder, 'amtsbote.db') }
    const objects = await openObjects(config)
    const house = await byteHouse({ folder, database, objects, clock: runningClock() })
    const { size, request } = how
    let files = 0
    for (let killed = 0; killed < kills;) {
      const bytes = seededBytes(seed + files, size)
      const upload = await house.uploads.begin(house.spec({ size }), OPERATOR)
      const order = { folder, database, objects: config, ticket: upload.ticket, seed: seed + files, size, request }
      let acknowledged = 0
      for (let done = false; !done;) {
        const delay = ((seed + killed * 7919) % 397) + (killed % 5 === 4 ? 400 : 0)
        const run = await runAndKill(order, delay)
        if (!run.done) killed++
        const state = await house.uploads.confirm(upload.ticket)
        assert.ok(state, 'the upload is there')
        acknowledged = Math.max(acknowledged, run.acknowledged)
        assert.ok(state.offset >= acknowledged, `acknowledged ${acknowledged}, kept ${state.offset}`)
        done = state.state === 'finished' || killed >= kills
      }
      // Whatever is missing is sent from here: another process, other leases.
      let state = await house.uploads.confirm(upload.ticket)
      if (state?.state === 'open') {
        const lease = await house.uploads.acquire(upload.id, { waitMs: 5000 })
        const rest = Readable.from([bytes.subarray(state.offset)], { objectMode: false })
        await house.uploads.append(lease, state.offset, rest, { maxBytes: size })
        await lease.release()
        state = await house.uploads.byTicket(upload.ticket)
      }
      const { contentId } = await house.version(state?.fileId ?? null)
      assert.ok((await house.plaintext(contentId)).equals(bytes), 'the file is identical')
      files++
    }
    const report = await house.leftovers.find(new Date(Date.now() + 3_600_000))
    assert.deepEqual(report.missing, [])
    await house.leftovers.remove(report)
    await house.close()
    await objects.close()
  })
}
