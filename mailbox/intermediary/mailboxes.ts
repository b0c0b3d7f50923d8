/**
 * Deliveries of the intermediary: taken in, kept sealed per addressee, handed out, with their Laufzettel.
 *
 * The addressee's cipher certificate is the mailbox. A delivery is kept as a small MIME message of certificates, content
 * package and parts, all as they were signed: nothing of it is parsed and written again, authors' signatures depend on it.
 */
import { canonicalText, isNamed, optionalChild } from '../../signing/index.ts'
import type { Delivery, Storage, World } from '../../storage/index.ts'
import { fingerprint } from '../osci/identity.ts'
import { NS5, NS5_SCOPE, OSCI } from '../osci/messages.ts'
import type { Attachment, CertificateEntry, ProcessCard } from '../osci/messages.ts'
import { newBoundary, parseMime, writeMime } from '../osci/mime.ts'
import { malformed, parseEnvelope, readCertificates } from '../osci/parse.ts'
import type { OsciMessage } from '../osci/security.ts'
import { nonIntermediaryCertificates } from '../osci/serialize.ts'
import { commitOrDiscard } from '../stored-bytes.ts'

export interface MailboxesDeps extends World {
  storage: Storage
  maxBytes: number
}

/** What a StoreDelivery brings. */
export interface NewDelivery {
  messageId: string
  subject: string | null
  /** cipher certificates (DER) */
  originator: Buffer
  addressee: Buffer
  certificates: readonly CertificateEntry[]
  inspection: string
  message: OsciMessage
}

/** What a FetchDelivery hands out. */
export interface KeptDelivery {
  certificates: CertificateEntry[]
  /** canonical under the five namespaces */
  packageText: string
  attachments: Attachment[]
}

/**
 * Keeps a delivery and uses up its MessageId, in one transaction after the bytes are stored.
 *
 * @returns the delivery, or `illegal-id`: the id was never issued to this client or is used up (OSCI 9801)
 */
export async function keepDelivery(deps: MailboxesDeps, order: NewDelivery): Promise<Delivery | 'illegal-id'> {
  const { storage } = deps
  const stored = await storage.contents.put('system', keptForm(deps, order))
  const now = deps.clock()
  const originator = fingerprint(order.originator)
  const delivery: Delivery = {
    messageId: order.messageId,
    addressee: fingerprint(order.addressee),
    originator,
    subject: order.subject,
    contentId: stored.contentId,
    inspection: order.inspection,
    createdAt: now,
    forwardedAt: null,
    receivedAt: null,
    modifiedAt: now,
  }
  const kept = await commitOrDiscard([stored], () =>
    storage.transact(async (rows) => {
      if (!(await rows.deliveries.useId(order.messageId, originator, now))) return false
      await stored.commit(rows.db)
      await rows.deliveries.add(delivery)
      return true
    }),
  )
  if (kept) return delivery
  await stored.discard()
  return 'illegal-id'
}

function keptForm(deps: MailboxesDeps, { message, certificates }: NewDelivery): Buffer {
  const contentPackage = optionalChild(message.body, OSCI, 'ContentPackage')
  if (!contentPackage) throw malformed('a delivery without content package')
  const soap =
    `<soap:Envelope${NS5}><soap:Header>${nonIntermediaryCertificates(certificates).text}</soap:Header>` +
    `<soap:Body${NS5} Id="body">${canonicalText(contentPackage, { rendered: NS5_SCOPE })}</soap:Body></soap:Envelope>`
  return writeMime(Buffer.from(soap, 'utf8'), message.parts, newBoundary(deps.random))
}

/** Reads a kept delivery back. */
export async function openDelivery(deps: MailboxesDeps, delivery: Delivery): Promise<KeptDelivery> {
  const content = await deps.storage.contents.open(delivery.contentId)
  const chunks: Buffer[] = []
  for await (const chunk of content.stream as AsyncIterable<Buffer>) chunks.push(chunk)
  const mime = parseMime(Buffer.concat(chunks), { maxBytes: deps.maxBytes * 2, maxParts: 2_100 })
  const { blocks, body } = parseEnvelope(mime.soap)
  const block = blocks.find((candidate) => isNamed(candidate, OSCI, 'NonIntermediaryCertificates'))
  const contentPackage = optionalChild(body, OSCI, 'ContentPackage')
  if (!block || !contentPackage) throw malformed('a kept delivery')
  return {
    certificates: readCertificates(block),
    packageText: canonicalText(contentPackage, { rendered: NS5_SCOPE }),
    attachments: mime.parts,
  }
}

/** The Laufzettel of a delivery as it stands. */
export function cardOf(delivery: Delivery): ProcessCard {
  return {
    messageId: delivery.messageId,
    recentModification: delivery.modifiedAt,
    creation: delivery.createdAt,
    forwarding: delivery.forwardedAt,
    reception: delivery.receivedAt,
    subject: delivery.subject,
    inspection: delivery.inspection,
  }
}
