/** An object store that fails at the n-th call, before it does its work or after it (outcome unknown to the caller). */
import { StorageError, type StorageErrorCode } from '../../errors.ts'
import type { ObjectStore, PartWriter } from '../../objects/object-store.ts'

export interface FaultPlan {
  /** calls from now until the failing one; 0 = never */
  failAt: number
  when: 'before' | 'after'
  code: StorageErrorCode
  /** further calls fail as well, until the plan is changed: the store is away */
  stays: boolean
  /** counts failures */
  failed: number
}

export function faultyObjects(store: ObjectStore): { objects: ObjectStore; plan: FaultPlan } {
  const plan: FaultPlan = { failAt: 0, when: 'before', code: 'storage/objects-unavailable', stays: false, failed: 0 }
  const meet = async <T>(work: () => Promise<T>, undo?: (result: T) => Promise<void>): Promise<T> => {
    if (plan.failAt === 0) return work()
    plan.failAt--
    if (plan.failAt > 0) return work()
    if (plan.stays) plan.failAt = 1
    plan.failed++
    if (plan.when === 'after') {
      const result = await work()
      await undo?.(result)
    }
    throw new StorageError(plan.code, 'made to fail')
  }
  const wrapWriter = (writer: PartWriter): PartWriter => ({
    handle: writer.handle,
    putPart: (number, position, part) => meet(() => writer.putPart(number, position, part)),
    flush: () => meet(() => writer.flush()),
    close: () => writer.close(),
  })
  const objects: ObjectStore = {
    ...store,
    put: (id, bytes) => meet(() => store.put(id, bytes)),
    ...(store.sealAndPut && {
      sealAndPut: (id, plain, cipher) => meet(async () => (await store.sealAndPut?.(id, plain, cipher)) ?? ''),
    }),
    openParts: async (id, handle) =>
      wrapWriter(
        await meet(
          () => store.openParts(id, handle),
          (writer) => writer.close(),
        ),
      ),
    complete: (id, parts) => meet(() => store.complete(id, parts)),
    abort: (id, handle) => meet(() => store.abort(id, handle)),
    open: (id) =>
      meet(
        () => store.open(id),
        (reader) => reader.close(),
      ),
    size: (id) => meet(() => store.size(id)),
    delete: (id) => meet(() => store.delete(id)),
  }
  return { objects, plan }
}
