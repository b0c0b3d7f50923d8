/**
 * Keys: master key → scope key (room, mailbox, system) → segment key. Spec: FORMAT.md, part "Keys".
 *
 * Master keys are files, scope keys are rows wrapped by the newest master key, segment keys are wrapped by their scope's.
 * Rotating the master key rewraps scope keys only; see key-rotation.ts.
 */
import { hkdfSync } from 'node:crypto'

import { StorageError } from '../errors.ts'
import type { ScopeId, SegmentId } from '../ids.ts'
import type { Database } from '../metadata/database.ts'
import type { Db } from '../metadata/schema.ts'
import type { World } from '../world.ts'
import { createKeyCache } from './key-cache.ts'
import { rotate } from './key-rotation.ts'
import type { RotationResult } from './key-rotation.ts'
import { newMasterKey, readMasterKeys, writeMasterKey } from './master-keys.ts'
import type { MasterKey } from './master-keys.ts'
import { addScope, destroyScope, readScope, scopeBinding } from './scope-keys.ts'
import type { MasterRing, ScopeRow } from './scope-keys.ts'
import { openBox, sealBox } from './sealed-box.ts'

export type { RotationResult } from './key-rotation.ts'

export interface KeyRing {
  /**
   * Makes a key for a scope, in the caller's transaction, and returns it; not kept in memory until that has committed.
   * @throws StorageError `storage/already-exists`
   */
  newScopeKey(db: Db, scope: ScopeId): Promise<Buffer>
  /**
   * The key of a scope, 32 bytes; owned by the ring: never written to, never zeroed by the caller.
   *
   * @throws StorageError `storage/not-found`, `storage/key-destroyed`, `storage/wrong-key`, `storage/key-damaged`
   */
  scopeKey(db: Db, scope: ScopeId): Promise<Buffer>
  /** Destroys a scope's key for good. @returns false = was destroyed before */
  destroyScope(db: Db, scope: ScopeId): Promise<boolean>
  /** Seals a segment's key by its scope's key: nonce 12 ‖ ciphertext 32 ‖ tag 16. */
  wrapSegmentKey(scopeKey: Buffer, segment: SegmentId, segmentKey: Buffer): Buffer
  /** @throws StorageError `storage/key-damaged` */
  unwrapSegmentKey(scopeKey: Buffer, segment: SegmentId, wrapped: Buffer): Buffer
  /** Seals a small secret (at most 64 KiB) under a scope; the label says what it is and must be the same to open. */
  sealBytes(db: Db, scope: ScopeId, label: string, bytes: Buffer): Promise<Buffer>
  /** @throws StorageError `storage/key-damaged` altered, or another label */
  openBytes(db: Db, scope: ScopeId, label: string, sealed: Buffer): Promise<Buffer>
  /** A 32 byte HMAC key for one purpose, derived from the system scope's key; survives rotation of the master key. */
  hmacKey(db: Db, label: string): Promise<Buffer>
  /**
   * Brings every scope key under a new master key; contents are not touched. Killed at any moment and run again, it
   * completes what was begun.
   */
  rotateMaster(): Promise<RotationResult>
  /** Id of the newest master key in the folder. */
  currentMasterKeyId(): string
  /** the folder of master keys */
  readonly masterFolder: string
}

const MAX_SECRET_BYTES = 65_536
const KEY_BYTES = 32
/** How long a process may go on with a scope key that another process has destroyed. */
const CACHE_MS = 10_000
const CACHED_SCOPES = 2_000

export interface KeyRingDeps extends World {
  /** folder of master keys, e.g. data/keys/master */
  folder: string
  database: Database
}

/**
 * Opens the ring. The very first time, with an empty folder and a database without keys, it makes the master key.
 *
 * @throws StorageError `storage/key-absent` the folder is empty but the database has keys: restore the backup
 * @throws StorageError `storage/key-damaged` a key file was altered
 */
export async function openKeyRing(deps: KeyRingDeps): Promise<KeyRing> {
  let masters = await readMasterKeys(deps.folder)
  if (masters.length === 0) masters = [await makeFirst(deps)]
  return createKeyRing(deps, masters)
}

async function makeFirst(deps: KeyRingDeps): Promise<MasterKey> {
  const scope = await deps.database.kysely.selectFrom('key_scope').select('id').limit(1).executeTakeFirst()
  if (scope !== undefined) {
    throw new StorageError(
      'storage/key-absent',
      'the key folder is empty but the database holds keys: restore a key backup',
    )
  }
  const master = newMasterKey(deps)
  await writeMasterKey(deps.folder, master)
  deps.log.info({ masterKey: master.id }, 'made the first master key')
  return master
}

function createKeyRing(deps: KeyRingDeps, found: MasterKey[]): KeyRing {
  const { random, clock } = deps
  const cache = createKeyCache(CACHED_SCOPES, CACHE_MS, clock)
  let masters = found
  const newest = (): MasterKey => {
    const [master] = masters
    if (master === undefined) throw new StorageError('storage/key-absent', 'the key folder is empty')
    return master
  }
  const reread = async (): Promise<void> => {
    const read = await readMasterKeys(deps.folder)
    if (read.length > 0) masters = read
  }
  const ring = { masters: () => masters, reread }

  async function scopeKey(db: Db, scope: ScopeId): Promise<Buffer> {
    return cache.get(scope) ?? cache.put(scope, await openScopeKey(db, ring, scope))
  }

  return {
    newScopeKey: async (db, scope) => {
      const key = random(KEY_BYTES)
      await addScope(db, ring, { scope, key, random })
      return key
    },
    scopeKey,
    destroyScope: async (db, scope) => {
      cache.drop(scope)
      return destroyScope(db, scope, clock())
    },
    wrapSegmentKey: (key, segment, segmentKey) => sealBox(key, ['segment-key', segment], segmentKey, random),
    unwrapSegmentKey: (key, segment, wrapped) => openBox(key, ['segment-key', segment], wrapped),
    sealBytes: async (db, scope, label, bytes) => {
      if (bytes.length > MAX_SECRET_BYTES) throw new StorageError('storage/bad-value', 'a secret of more than 64 KiB')
      return sealBox(await scopeKey(db, scope), ['secret', scope, label], bytes, random)
    },
    openBytes: async (db, scope, label, sealed) => openBox(await scopeKey(db, scope), ['secret', scope, label], sealed),
    hmacKey: async (db, label) =>
      cache.get(`hmac ${label}`) ?? cache.put(`hmac ${label}`, deriveHmacKey(await scopeKey(db, 'system'), label)),
    rotateMaster: () => rotate({ ...deps, ring }),
    currentMasterKeyId: () => newest().id,
    masterFolder: deps.folder,
  }
}

async function openScopeKey(db: Db, ring: MasterRing, scope: ScopeId): Promise<Buffer> {
  const key = unwrapScopeKey(scope, await readScope(db, scope), ring)
  if (key !== null) return key
  // An unknown master key: somebody may have rotated meanwhile, so folder and row are read once more.
  await ring.reread()
  const row = await readScope(db, scope)
  const late = unwrapScopeKey(scope, row, ring)
  if (late !== null) return late
  throw new StorageError('storage/wrong-key', `master key ${row?.masterKeyId ?? ''} is not in the key folder`)
}

/** Null = wrapped by a master key that this process does not know. */
function unwrapScopeKey(scope: ScopeId, row: ScopeRow | null, ring: MasterRing): Buffer | null {
  if (row === null) throw new StorageError('storage/not-found', 'no such key scope')
  if (row.wrapped === null) throw new StorageError('storage/key-destroyed', 'the key of this scope was destroyed')
  const master = ring.masters().find((candidate) => candidate.id === row.masterKeyId)
  return master === undefined ? null : openBox(master.key, scopeBinding(scope, master.id), row.wrapped)
}

/** RFC 5869: HKDF-SHA-256 without salt; the label is the context. */
export function deriveHmacKey(systemKey: Buffer, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', systemKey, Buffer.alloc(0), `amtsbote/1 hmac ${label}`, KEY_BYTES))
}
