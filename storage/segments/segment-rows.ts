/** Rows of segments as values, with their keys. */
import type { Selectable } from 'kysely'

import type { KeyRing } from '../cipher/key-ring.ts'
import { StorageError } from '../errors.ts'
import { newId, newRowId, type ContentId, type ObjectId, type ScopeId, type SegmentId } from '../ids.ts'
import { insertRow } from '../metadata/kept-statement.ts'
import type { Db } from '../metadata/schema.ts'
import type { SegmentTable } from '../metadata/tables/contents.ts'
import type { World } from '../world.ts'

export interface Segment {
  id: SegmentId
  position: number
  wrappedKey: Buffer | null
  objectId: ObjectId
  kind: 'single' | 'multipart'
  /** the store's handle of an unfinished object; null = none, or completed */
  handle: string | null
  /** plaintext bytes in finished parts; in the whole segment once closed */
  plainSize: number
  parts: number
  receipts: string[]
  tail: { objectId: ObjectId; length: number } | null
  cut: boolean
}

/** A segment and its key in clear, 32 bytes; the segment has no row yet or is still written. */
export interface KeyedSegment {
  segment: Segment
  key: Uint8Array
}

const COLUMNS = [
  'id',
  'position',
  'wrapped_key',
  'object_id',
  'kind',
  'multipart_id',
  'plain_size',
  'sealed_parts',
  'part_etags',
  'tail_object',
  'tail_length',
  'cut',
] as const

/** In their order within the content. */
export async function segmentsOf(db: Db, content: ContentId): Promise<Segment[]> {
  const rows = await db
    .selectFrom('segment')
    .select(COLUMNS)
    .where('content_id', '=', content)
    .orderBy('position')
    .execute()
  return rows.map(fromRow)
}

/** Inserts the row of a segment that has none yet. */
export async function insertSegment(db: Db, content: ContentId, segment: Segment): Promise<void> {
  await insertRow(db, 'segment', { ...fixedColumns(content, segment), ...changingColumns(segment) })
}

/** Inserts the segment or brings its row up to date. */
export async function saveSegment(db: Db, content: ContentId, segment: Segment): Promise<void> {
  const changing = changingColumns(segment)
  await db
    .insertInto('segment')
    .values({ ...fixedColumns(content, segment), ...changing })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(changing))
    .execute()
}

function fixedColumns(content: ContentId, segment: Segment) {
  const { id, position, wrappedKey, objectId } = segment
  return { id, content_id: content, position, wrapped_key: wrappedKey, object_id: objectId }
}

function changingColumns(segment: Segment) {
  return {
    kind: segment.kind,
    multipart_id: segment.handle,
    plain_size: segment.plainSize,
    sealed_parts: segment.parts,
    part_etags: JSON.stringify(segment.receipts),
    tail_object: segment.tail?.objectId ?? null,
    tail_length: segment.tail?.length ?? 0,
    cut: segment.cut ? 1 : 0,
  } as const
}

/** A new segment with a fresh key and object; nothing is stored yet. */
export function newSegment(
  deps: Pick<World, 'clock' | 'random'> & { keyRing: KeyRing },
  scopeKey: Buffer,
  position: number,
): KeyedSegment {
  const id = newRowId<SegmentId>(deps)
  const key = new Uint8Array(deps.random(32))
  const segment: Segment = {
    id,
    position,
    wrappedKey: deps.keyRing.wrapSegmentKey(scopeKey, id, Buffer.from(key.buffer)),
    objectId: newId<ObjectId>(deps.random),
    kind: 'multipart',
    handle: null,
    plainSize: 0,
    parts: 0,
    receipts: [],
    tail: null,
    cut: false,
  }
  return { segment, key }
}

/**
 * The segment's key in clear.
 *
 * @throws StorageError `storage/key-destroyed`, `storage/key-damaged`
 */
export function keyOf(keyRing: KeyRing, scopeKey: Buffer, segment: Segment): Uint8Array {
  if (segment.wrappedKey === null)
    throw new StorageError('storage/key-destroyed', 'the key of this content was destroyed')
  return new Uint8Array(keyRing.unwrapSegmentKey(scopeKey, segment.id, segment.wrappedKey))
}

export interface ContentRow {
  id: ContentId
  scopeId: ScopeId
  size: number
  sha256: string | null
  state: 'open' | 'whole' | 'erasing' | 'erased'
}

/** null = no such content. */
export async function contentRow(db: Db, id: ContentId): Promise<ContentRow | null> {
  const row = await db
    .selectFrom('content')
    .select(['id', 'scope_id', 'size', 'sha256', 'state'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) return null
  return { id: row.id, scopeId: row.scope_id, size: row.size, sha256: row.sha256, state: row.state }
}

/** Inserts the row of a content. */
export async function insertContent(
  db: Db,
  content: { id: ContentId; scope: ScopeId; size: number; sha256: string | null; state: 'open' | 'whole' },
  now: Date,
): Promise<void> {
  const { id, size, sha256, state } = content
  const values = { id, scope_id: content.scope, size, sha256, state, created_at: now.getTime() }
  await insertRow(db, 'content', values)
}

function fromRow(row: Pick<Selectable<SegmentTable>, (typeof COLUMNS)[number]>): Segment {
  return {
    id: row.id,
    position: row.position,
    wrappedKey: row.wrapped_key,
    objectId: row.object_id,
    kind: row.kind,
    handle: row.multipart_id,
    plainSize: row.plain_size,
    parts: row.sealed_parts,
    receipts: JSON.parse(row.part_etags) as string[],
    tail: row.tail_object === null ? null : { objectId: row.tail_object, length: row.tail_length },
    cut: row.cut === 1,
  }
}
