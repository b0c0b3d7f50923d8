/** Tables of tables/jobs.ts. */
export const jobTables: readonly string[] = [
  `create table job (
    id text primary key,
    kind text not null,
    subject text not null,
    payload text not null,
    partner text,
    every_ms integer,
    state text not null check (state in ('ready', 'held', 'failed')),
    due integer,
    attempts integer not null,
    started_at integer,
    failures integer not null,
    last_error text,
    created_at integer not null
  ) strict`,
  `create index job_due on job (due) where due is not null`,
  `create unique index job_standing on job (kind, subject) where every_ms is not null`,
  `create index job_subject on job (subject)`,
  `create index job_of_partner on job (partner, due) where partner is not null`,
  `create index job_age on job (created_at, id)`,
  `create table job_partner (
    partner text primary key,
    not_before integer not null
  ) strict`,
]
