/** A process that dies at the n-th thing it does: every call to storage or network ticks before and after. */
import type { Rows, Storage } from '../../../storage/index.ts'
import type { Exchange, OsciTransport } from '../../osci/transport.ts'

export class Dead extends Error {
  override readonly name = 'Dead'
}

export class Fuse {
  ticks = 0
  private readonly blowsAt: number

  /** @param blowsAt number of the tick at which everything ends; Infinity = never */
  constructor(blowsAt = Infinity) {
    this.blowsAt = blowsAt
  }

  tick(): void {
    this.ticks += 1
    if (this.ticks >= this.blowsAt) throw new Dead('the process is dead')
  }
}

const PLAIN = new Set<PropertyKey>([
  'db',
  'database',
  'keyRing',
  'keys',
  'claims',
  'handlers',
  'leftovers',
  'uploads',
  'close',
])

/** Storage whose every verb may be the last. */
export function fusedStorage(storage: Storage, fuse: Fuse): Storage {
  return fused(storage, fuse)
}

function fused<T extends object>(target: T, fuse: Fuse): T {
  return new Proxy(target, {
    get: (object, key): unknown => {
      const value: unknown = Reflect.get(object, key)
      if (PLAIN.has(key)) return value
      if (typeof value === 'function') return verb(object, value as (...given: unknown[]) => unknown, key, fuse)
      return typeof value === 'object' && value !== null ? fused(value, fuse) : value
    },
  })
}

function verb(object: object, call: (...given: unknown[]) => unknown, key: PropertyKey, fuse: Fuse) {
  return async (...given: unknown[]): Promise<unknown> => {
    fuse.tick()
    const inner = given[0] as (rows: Rows) => Promise<unknown>
    const result: unknown = await (key === 'transact'
      ? call.call(object, (rows: Rows) => inner(fused(rows, fuse)))
      : call.apply(object, given))
    fuse.tick()
    return result
  }
}

/** A network on which the process may die before the request left or before the answer was read. */
export function fusedTransport(transport: OsciTransport, fuse: Fuse): OsciTransport {
  return async (message, signal) => {
    fuse.tick()
    const exchange = await transport(message, signal)
    fuse.tick()
    return exchange
  }
}

/** A network that fails once, at the n-th request: before it left, or with the answer lost on the way back. */
export function failingTransport(transport: OsciTransport, at: number, how: 'unreachable' | 'unknown'): OsciTransport {
  let calls = 0
  return async (message, signal): Promise<Exchange> => {
    calls += 1
    if (calls !== at) return transport(message, signal)
    if (how === 'unknown') await transport(message, signal)
    return { kind: how, cause: new Error('the network failed') }
  }
}
