/** What everything that moves sealed bytes is made from. */
import type { KeyRing } from '../cipher/key-ring.ts'
import type { Sealer } from '../cipher/sealer.ts'
import type { Database } from '../metadata/database.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { World } from '../world.ts'
import type { PartMemory } from './part-memory.ts'

export interface ByteDeps extends World {
  database: Database
  objects: ObjectStore
  keyRing: KeyRing
  sealer: Sealer
  memory: PartMemory
}
