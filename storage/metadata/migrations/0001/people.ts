/** Tables of tables/people.ts. */
export const peopleTables: readonly string[] = [
  `create table unit (
    id text primary key,
    name text not null unique,
    created_at integer not null
  ) strict`,
  `create table user_account (
    id text primary key,
    email text not null,
    email_key text not null unique,
    name text not null,
    audience text not null check (audience in ('staff', 'external')),
    unit_id text references unit (id),
    admin integer not null check (admin in (0, 1)),
    state text not null check (state in ('invited', 'active', 'disabled')),
    password_hash text,
    totp_secret blob,
    totp_last_step integer not null,
    created_at integer not null
  ) strict`,
  `create table lockout (
    user_id text not null references user_account (id),
    factor text not null,
    recent integer not null,
    in_window integer not null,
    window_start integer not null,
    last_try integer not null,
    primary key (user_id, factor)
  ) strict`,
  `create table invitation (
    id text primary key,
    user_id text references user_account (id),
    purpose text not null check (purpose in ('join', 'first-admin')),
    token_hash text not null unique,
    code_hash text,
    code_failures integer not null,
    code_accepted_at integer,
    expires_at integer not null,
    created_at integer not null
  ) strict`,
  `create index invitation_user on invitation (user_id)`,
  `create table session (
    id text primary key,
    user_id text not null references user_account (id),
    kind text not null check (kind in ('browser', 'token')),
    token_hash text not null unique,
    factors text not null,
    csrf text not null,
    label text,
    created_at integer not null,
    last_seen_at integer not null,
    expires_at integer not null
  ) strict`,
  `create index session_of_user on session (user_id)`,
  `create index session_expiry on session (expires_at)`,
]
