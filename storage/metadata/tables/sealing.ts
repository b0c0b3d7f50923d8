/** Rows of batches: many files of a room that one person had sealed in one go. Times are ms since epoch, UTC. */
import type { FileId, RoomId, SealBatchId, UserId } from '../../ids.ts'

export interface SealBatchTable {
  id: SealBatchId
  room_id: RoomId
  /** running = documents wait or are at work; done = the protocol is written; cancelled = a person stopped it */
  state: 'running' | 'done' | 'cancelled'
  /** JSON of the wishes for each seal: level, reason, location, mark */
  wishes: string
  /** number of items, fixed at the start */
  total: number
  /** the sealed protocol; null = not written yet */
  protocol_file_id: FileId | null
  created_at: number
  /** null = the operator at the command line */
  created_by: UserId | null
  /** null = not ended */
  ended_at: number | null
}

export interface SealBatchItemTable {
  batch_id: SealBatchId
  /** from 0, in the order of sealing */
  position: number
  file_id: FileId
  /** the version to be sealed; another one by then is not sealed */
  version: number
  /** sealed = the new version exists: both are written in one transaction */
  state: 'waiting' | 'sealed' | 'failed'
  /** number of the sealed version; null = none */
  sealed_version: number | null
  /** code of what kept it from being sealed; null = nothing */
  error: string | null
  /** null = waiting */
  ended_at: number | null
}
