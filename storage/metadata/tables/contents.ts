/** Rows about stored bytes and uploads in progress. Times are ms since epoch, UTC. */
import type { ContentId, FileId, ObjectId, RoomId, ScopeId, SegmentId, UploadId, UserId } from '../../ids.ts'

/** A sealed byte string: an ordered list of segments. */
export interface ContentTable {
  id: ContentId
  scope_id: ScopeId
  /** plaintext bytes; grows while the content is open */
  size: number
  /** SHA-256 of the plaintext, hex; null = not known yet */
  sha256: string | null
  /** open = being written; erasing = keys destroyed, objects still to delete */
  state: 'open' | 'whole' | 'erasing' | 'erased'
  created_at: number
}

/** A piece of a content with a key and an object of its own. */
export interface SegmentTable {
  id: SegmentId
  content_id: ContentId
  /** order within the content, from 0 */
  position: number
  /** the segment's key sealed by the scope's key; null = destroyed */
  wrapped_key: Buffer | null
  object_id: ObjectId
  /** single = one put; multipart = parts completed at the end */
  kind: 'single' | 'multipart'
  /** the object store's handle of an unfinished multipart object; null = none open */
  multipart_id: string | null
  /** plaintext bytes in finished parts (whole segment once closed) */
  plain_size: number
  /** number of finished parts */
  sealed_parts: number
  /** JSON array: the store's receipt for each finished part, in order */
  part_etags: string
  /** object that keeps the unfinished end of the last request; null = none */
  tail_object: ObjectId | null
  /** plaintext bytes in that object */
  tail_length: number
  /** 1 = ended at a part boundary by a takeover, its last chunk is not flagged as last */
  cut: 0 | 1
}

/** An upload in progress, and for a while after its end so that a lost answer can be asked again. */
export interface UploadTable {
  id: UploadId
  /** SHA-256 of the ticket in the upload's address, hex; unique */
  ticket_hash: string
  room_id: RoomId
  content_id: ContentId
  /** file name as given; empty for partial uploads */
  name: string
  media_type: string | null
  /** Upload-Metadata exactly as given */
  metadata: string
  /** declared plaintext size; null = deferred */
  size: number | null
  /** plaintext bytes acknowledged */
  offset_bytes: number
  /** partial = to be concatenated later */
  kind: 'whole' | 'partial' | 'final'
  state: 'open' | 'finished' | 'cancelled'
  /** the file it became; null = not finished, or a partial */
  file_id: FileId | null
  /** who writes at the moment (host|boot|pid|start|random); null = nobody */
  holder: string | null
  /** end of the holder's lease; 0 = none */
  held_until: number
  /** 1 = somebody newer wants the upload */
  wanted: 0 | 1
  /** 1 = a writer ended without saying so: bytes beyond this row may exist, the next one opens a new segment */
  dirty: 0 | 1
  /** how long the upload may rest after an acknowledged byte, ms */
  expires_after_ms: number
  expires_at: number
  created_at: number
  /** null = not by a user */
  created_by: UserId | null
}
