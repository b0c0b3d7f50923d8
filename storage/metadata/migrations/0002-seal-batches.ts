/** Schema 2: batches of seals. Columns are documented in tables/sealing.ts. */
import type { Migration } from '../migration.ts'

export const sealBatches: Migration = {
  version: 2,
  statements: [
    `create table seal_batch (
      id text primary key,
      room_id text not null references room (id),
      state text not null check (state in ('running', 'done', 'cancelled')),
      wishes text not null,
      total integer not null,
      protocol_file_id text references file (id),
      created_at integer not null,
      created_by text references user_account (id),
      ended_at integer
    ) strict`,
    `create index seal_batch_room on seal_batch (room_id, created_at)`,
    `create table seal_batch_item (
      batch_id text not null references seal_batch (id),
      position integer not null,
      file_id text not null references file (id),
      version integer not null,
      state text not null check (state in ('waiting', 'sealed', 'failed')),
      sealed_version integer,
      error text,
      ended_at integer,
      primary key (batch_id, position)
    ) strict`,
    `create index seal_batch_item_state on seal_batch_item (batch_id, state, position)`,
  ],
}
