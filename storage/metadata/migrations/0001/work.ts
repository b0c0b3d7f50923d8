/** Tables of tables/work.ts; schema_version is made by migrate.ts itself. */
export const workTables: readonly string[] = [
  `create table audit_entry (
    seq integer primary key,
    at integer not null,
    actor_kind text not null,
    actor text not null,
    action text not null,
    subject text,
    detail text not null,
    mac blob not null,
    chain blob not null
  ) strict`,
  `create index audit_entry_subject on audit_entry (subject, seq)`,
  `create table audit_head (
    id integer primary key check (id = 1),
    seq integer not null,
    chain blob not null,
    seal blob not null
  ) strict`,
  `create table setting (
    key text primary key,
    value text not null
  ) strict`,
]
