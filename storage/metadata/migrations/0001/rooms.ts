/** Tables of tables/rooms.ts, without the files: those refer to contents. */
export const roomTables: readonly string[] = [
  `create table room (
    id text primary key,
    name text not null,
    name_key text not null unique,
    level text not null,
    unit_id text references unit (id),
    state text not null check (state in ('open', 'closed', 'destroyed')),
    created_at integer not null
  ) strict`,
  `create table room_member (
    room_id text not null references room (id),
    user_id text not null references user_account (id),
    role text not null check (role in ('reader', 'contributor', 'manager')),
    added_at integer not null,
    primary key (room_id, user_id)
  ) strict`,
  `create index room_member_user on room_member (user_id, room_id)`,
  `create table key_scope (
    id text primary key,
    wrapped_key blob,
    master_key_id text not null,
    destroyed_at integer
  ) strict`,
  `create index key_scope_master on key_scope (master_key_id)`,
]
