/** Mailboxes (Postfächer): our own and those of partners we write to; address, certificates, and a key scope each. */
import type { Selectable } from 'kysely'

import type { Actor } from './actor.ts'
import { StorageError } from './errors.ts'
import { newRowId } from './ids.ts'
import type { MailboxId, UnitId } from './ids.ts'
import type { Db } from './metadata/schema.ts'
import type { MailboxTable } from './metadata/tables/mailboxes.ts'
import { decodeCursor, encodeCursor, pageLimit, toPage } from './page.ts'
import type { Page, PageRequest } from './page.ts'
import type { RowDeps } from './rows.ts'
import { checkName } from './text.ts'

/** own = its keys are here; partner = somebody we write to; practice-court = own, and answers by itself */
export type MailboxKind = 'own' | 'partner' | 'practice-court'

export interface Mailbox {
  id: MailboxId
  name: string
  unitId: UnitId | null
  /** address by which the transport knows it */
  address: string
  /** DER */
  cipherCertificate: Buffer
  /** DER */
  signatureCertificate: Buffer
  kind: MailboxKind
  /** name of the intermediary in the configuration; 'embedded' = the one of this server */
  intermediary: string
  /** name of the opened keys; null = a partner */
  keyName: string | null
  createdAt: Date
}

export interface NewMailbox {
  name: string
  unitId?: UnitId | null
  address: string
  cipherCertificate: Buffer
  signatureCertificate: Buffer
  /** default own */
  kind?: MailboxKind
  /** default embedded */
  intermediary?: string
  keyName?: string | null
}

export interface Mailboxes {
  /** Makes the mailbox and its key. @throws StorageError `storage/already-exists` the name is taken */
  create(mailbox: NewMailbox, by: Actor): Promise<Mailbox>
  byId(id: MailboxId): Promise<Mailbox>
  byName(name: string): Promise<Mailbox | null>
  byAddress(address: string): Promise<Mailbox | null>
  /** The mailbox with this cipher or signature certificate (DER). */
  byCertificate(certificate: Buffer): Promise<Mailbox | null>
  list(page?: PageRequest): Promise<Page<Mailbox>>
  change(id: MailboxId, patch: Partial<NewMailbox>, by: Actor): Promise<Mailbox>
}

const COLUMNS = [
  'id',
  'name',
  'unit_id',
  'address',
  'cipher_certificate',
  'signature_certificate',
  'kind',
  'intermediary',
  'key_name',
  'created_at',
] as const satisfies readonly (keyof MailboxTable)[]
type MailboxRow = Selectable<MailboxTable>

export function createMailboxes(deps: RowDeps): Mailboxes {
  const { db } = deps
  const first = async (column: 'name' | 'address', value: string): Promise<Mailbox | null> => {
    const query = db.selectFrom('mailbox').select(COLUMNS).where(column, '=', value)
    const row = await query.orderBy('id').limit(1).executeTakeFirst()
    return row === undefined ? null : toMailbox(row)
  }
  return {
    create: (mailbox, by) => createMailbox(deps, mailbox, by),
    byId: async (id) => toMailbox(await rowOf(db, id)),
    byName: (name) => first('name', name.normalize('NFC').trim()),
    byAddress: (address) => first('address', address),
    byCertificate: (certificate) => byCertificate(deps, certificate),
    list: (page = {}) => listMailboxes(deps, page),
    change: (id, patch, by) => changeMailbox(deps, id, patch, by),
  }
}

async function createMailbox(deps: RowDeps, mailbox: NewMailbox, by: Actor): Promise<Mailbox> {
  const row: MailboxRow = {
    id: newRowId<MailboxId>(deps),
    name: checkName('mailbox', mailbox.name),
    unit_id: mailbox.unitId ?? null,
    address: mailbox.address,
    cipher_certificate: mailbox.cipherCertificate,
    signature_certificate: mailbox.signatureCertificate,
    kind: mailbox.kind ?? 'own',
    intermediary: mailbox.intermediary ?? 'embedded',
    key_name: mailbox.keyName ?? null,
    created_at: deps.clock().getTime(),
  }
  return deps.within(async (db) => {
    await deps.keyRing.newScopeKey(db, row.id)
    await db.insertInto('mailbox').values(row).execute()
    const detail = { kind: row.kind, unit: row.unit_id }
    await deps.record(db, { action: 'mailbox.created', subject: row.id, by, detail })
    return toMailbox(row)
  })
}

async function byCertificate({ db }: RowDeps, certificate: Buffer): Promise<Mailbox | null> {
  const row = await db
    .selectFrom('mailbox')
    .select(COLUMNS)
    .where((eb) => eb.or([eb('cipher_certificate', '=', certificate), eb('signature_certificate', '=', certificate)]))
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? null : toMailbox(row)
}

async function listMailboxes({ db }: RowDeps, page: PageRequest): Promise<Page<Mailbox>> {
  const limit = pageLimit(page)
  const [name] = decodeCursor(page.after, 1) ?? []
  let query = db.selectFrom('mailbox').select(COLUMNS)
  if (name !== undefined) query = query.where('name', '>', name)
  const rows = await query
    .orderBy('name')
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, toMailbox, (row) => encodeCursor([row.name]))
}

async function changeMailbox(deps: RowDeps, id: MailboxId, patch: Partial<NewMailbox>, by: Actor): Promise<Mailbox> {
  const given: Record<string, unknown> = {
    name: patch.name === undefined ? undefined : checkName('mailbox', patch.name),
    unit_id: patch.unitId,
    address: patch.address,
    cipher_certificate: patch.cipherCertificate,
    signature_certificate: patch.signatureCertificate,
    kind: patch.kind,
    intermediary: patch.intermediary,
    key_name: patch.keyName,
  }
  const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return deps.within(async (db) => {
    await db
      .updateTable('mailbox')
      .set({ id, ...changes })
      .where('id', '=', id)
      .execute()
    const row = await rowOf(db, id)
    const detail = { changed: Object.keys(changes).join('+'), unit: row.unit_id }
    await deps.record(db, { action: 'mailbox.changed', subject: id, by, detail })
    return toMailbox(row)
  })
}

async function rowOf(db: Db, id: MailboxId): Promise<MailboxRow> {
  const row = await db.selectFrom('mailbox').select(COLUMNS).where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new StorageError('storage/not-found', 'no such mailbox')
  return row
}

function toMailbox(row: MailboxRow): Mailbox {
  const { id, name, address, kind, intermediary } = row
  return {
    ...{ id, name, address, kind, intermediary },
    unitId: row.unit_id,
    cipherCertificate: row.cipher_certificate,
    signatureCertificate: row.signature_certificate,
    keyName: row.key_name,
    createdAt: new Date(row.created_at),
  }
}
