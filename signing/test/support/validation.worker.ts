/**
 * A validation thread for tests. What a document says decides what becomes of it: `spin` computes for ever, `wait`
 * computes until the shared flag is set, `die` ends the thread, `grow` takes memory; everything else is validated.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { validateWhenAsked } from '../../validation/threads/inside.ts'
import type { Http, HttpRequest } from '../../http.ts'
import type { EvidenceSource } from '../../trust/online.ts'

const { flag, ask } = workerData as { flag: SharedArrayBuffer; ask?: HttpRequest }
const deeds: Readonly<Record<string, () => void>> = {
  spin: () => {
    for (;;) Math.sqrt(2)
  },
  wait: () => void Atomics.wait(new Int32Array(flag), 0, 0),
  die: () => process.exit(7),
  grow: () => {
    for (const kept: number[][] = []; ;) kept.push(new Array<number>(100_000).fill(kept.length))
  },
}

// before the validation itself: it looks at the first bytes of what it is given
parentPort?.on('message', (order: { kind: string; id: number; bytes?: Uint8Array }) => {
  if (order.kind === 'bytes') deeds[Buffer.from(order.bytes ?? []).toString()]?.()
})

validateWhenAsked((http: Http) => (now) => {
  const online: EvidenceSource = {
    async collect() {
      if (ask !== undefined) await http(ask).catch(() => null)
      return { evidence: { certificates: [], crls: [], ocsps: [] }, gaps: [] }
    },
  }
  return Promise.resolve({ anchors: [], now, producer: 'test', online })
})
