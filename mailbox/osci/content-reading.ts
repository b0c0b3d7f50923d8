/**
 * Reading content: opens what is encrypted for us and gathers data, attachments and the authors' signatures.
 *
 * A container that cannot be read by our key is counted, not refused: somebody else may be its reader. What the
 * signatures are worth is author-signature.ts.
 */
import {
  DSIG_NAMESPACE,
  XENC_NAMESPACE,
  attributeOf,
  base64Of,
  childElements,
  isNamed,
  openBytes,
  openSealed,
  optionalChild,
  parseXml,
  readEncryptedData,
} from '../../signing/index.ts'
import type { CipherPolicy, DecryptionKey, ReadEncryptedData, SealMethod, XmlElement } from '../../signing/index.ts'
import { authorVerdict } from './author-signature.ts'
import type { AuthorVerdict } from './author-signature.ts'
import { OSCI } from './messages.ts'
import type { Attachment, CertificateEntry } from './messages.ts'
import { ENVELOPE_LIMITS, asMailboxError, checkIds, mailboxErrorOf, malformed } from './parse.ts'
import type { OsciMessage } from './security.ts'

/** Content of a delivery in the clear. */
export interface OpenedContent {
  /** decoded Base64Content in document order */
  inline: { id: string; bytes: Buffer }[]
  /** plaintext of every attachment that a readable container refers to */
  attachments: Attachment[]
  /** over all readable containers: the worst of their verdicts */
  author: AuthorVerdict
  /** DER of certificates whose signatures hold */
  signers: Buffer[]
  /** encrypted containers that our key does not open because they are for other readers */
  unreadable: number
}

interface Reading {
  key: DecryptionKey
  ciphers: CipherPolicy
  certificates: readonly CertificateEntry[]
  parts: ReadonlyMap<string, Attachment>
  opened: OpenedContent
  verdicts: AuthorVerdict[]
}

type AttachmentKeys = ReadonlyMap<string, { method: SealMethod; key: Buffer }>

const MAX_NESTING = 8

/**
 * Opens the ContentPackage of a verified delivery.
 *
 * @throws MailboxError `mailbox/malformed` structure; `mailbox/undecryptable` encrypted for us, but it does not open
 */
export async function openContent(
  message: OsciMessage,
  certificates: readonly CertificateEntry[],
  by: { key: DecryptionKey; ciphers: CipherPolicy },
): Promise<OpenedContent> {
  const opened: OpenedContent = { inline: [], attachments: [], author: 'unsigned', signers: [], unreadable: 0 }
  const parts = new Map(message.parts.map((part) => [part.name, part]))
  const reading: Reading = { ...by, certificates, parts, opened, verdicts: [] }
  try {
    const contentPackage = optionalChild(message.body, OSCI, 'ContentPackage')
    for (const child of contentPackage ? childElements(contentPackage) : [])
      await readEntry(reading, child, new Map(), 0)
  } catch (cause) {
    throw mailboxErrorOf(cause)
  }
  opened.author = worst(reading.verdicts)
  return opened
}

async function readEntry(reading: Reading, element: XmlElement, keys: AttachmentKeys, depth: number): Promise<void> {
  if (depth > MAX_NESTING) throw malformed('containers nested too deeply')
  if (isNamed(element, OSCI, 'ContentContainer')) return readContainer(reading, element, keys, depth)
  if (!isNamed(element, XENC_NAMESPACE, 'EncryptedData')) throw malformed('an unknown element in the content package')
  const container = await openContainer(reading, readEncryptedData(element, reading.ciphers))
  if (container) await readContainer(reading, container, keys, depth)
  else reading.opened.unreadable += 1
}

/** The decrypted container; null = our certificate is none of its readers'. */
async function openContainer(reading: Reading, data: ReadEncryptedData): Promise<XmlElement | null> {
  const ours = reading.certificates.filter((entry) => entry.certificate.equals(reading.key.certificate))
  const wrapped = data.keys.find((key) => ours.some((entry) => key.uri === `#${entry.id}`))
  if (data.data.kind !== 'value') throw malformed('an encrypted container outside the message')
  if (!wrapped) return null
  const plain = await openSealed(data.data.sealed, data.method, { wrapped, by: reading.key })
  const container = parseXml(plain, ENVELOPE_LIMITS)
  if (!isNamed(container, OSCI, 'ContentContainer')) throw malformed('encrypted content that is no container')
  checkIds(container)
  return container
}

async function readContainer(
  reading: Reading,
  container: XmlElement,
  outer: AttachmentKeys,
  depth: number,
): Promise<void> {
  const children = childElements(container)
  const encrypted = children.filter((child) => isNamed(child, XENC_NAMESPACE, 'EncryptedData'))
  const contents = children.filter((child) => isNamed(child, OSCI, 'Content'))
  const signatures = children.filter((child) => isNamed(child, DSIG_NAMESPACE, 'Signature'))
  if (encrypted.length + contents.length + signatures.length !== children.length) {
    throw malformed('an unknown element in a container')
  }
  const own = attachmentKeys(encrypted, reading.ciphers)
  const keys = new Map([...outer, ...own.keys])
  for (const content of contents) await readOne(reading, content, keys, depth)
  for (const element of own.others) await readEntry(reading, element, keys, depth + 1)
  const plaintext = new Map(reading.opened.attachments.map((attachment) => [attachment.name, attachment.body]))
  const found = authorVerdict(
    { signatures, contents, encrypted: own.others, certificates: reading.certificates },
    plaintext,
  )
  reading.verdicts.push(found.verdict)
  reading.opened.signers.push(...found.signers)
}

/** EncryptedData with a plain key beside it opens an attachment; the others are containers. */
function attachmentKeys(
  encrypted: XmlElement[],
  ciphers: CipherPolicy,
): { keys: Map<string, { method: SealMethod; key: Buffer }>; others: XmlElement[] } {
  const keys = new Map<string, { method: SealMethod; key: Buffer }>()
  const others: XmlElement[] = []
  for (const element of encrypted) {
    const { data, plainKey, method } = readEncryptedData(element, ciphers)
    if (data.kind === 'value') others.push(element)
    else if (plainKey && data.uri.startsWith('cid:')) keys.set(data.uri.slice(4), { method, key: plainKey })
    else throw malformed('the key of an attachment')
  }
  return { keys, others }
}

async function readOne(reading: Reading, content: XmlElement, keys: AttachmentKeys, depth: number): Promise<void> {
  const href = attributeOf(content, 'href')
  if (href !== null) {
    readAttachment(reading, href, keys)
    return
  }
  const [child, more] = childElements(content)
  if (!child || more) throw malformed('a content that is neither data nor reference nor container')
  if (isNamed(child, OSCI, 'ContentContainer')) {
    if (depth >= MAX_NESTING) throw malformed('containers nested too deeply')
    await readContainer(reading, child, keys, depth + 1)
    return
  }
  const id = attributeOf(child, 'Id')
  if (!isNamed(child, OSCI, 'Base64Content') || id === null) throw malformed('a content that is not base64')
  reading.opened.inline.push({ id, bytes: base64Of(child) })
}

function readAttachment(reading: Reading, href: string, keys: AttachmentKeys): void {
  if (!href.startsWith('cid:')) throw malformed('a reference outside the message')
  const part = reading.parts.get(href.slice(4))
  if (!part) throw malformed('a reference to a part that is not there')
  if (reading.opened.attachments.some((attachment) => attachment.name === part.name)) return
  const sealed = keys.get(part.name)
  const body = sealed ? asMailboxError(() => openBytes(part.body, sealed.method, sealed.key)) : part.body
  reading.opened.attachments.push({ name: part.name, contentType: part.contentType, body })
}

function worst(verdicts: AuthorVerdict[]): AuthorVerdict {
  if (verdicts.includes('invalid')) return 'invalid'
  return verdicts.length > 0 && verdicts.every((verdict) => verdict === 'valid') ? 'valid' : 'unsigned'
}
