/**
 * Writing content: one container with inline data and attachments, signed by its author, encrypted for its reader.
 *
 * Order: container → author's signature → encryption of attachments and container (OSCI 1.2, content package).
 * The intermediary sees sizes, names of parts and ciphertext.
 */
import {
  DSIG_NAMESPACE,
  SEAL_METHOD_TEXT,
  SHA256,
  composeSignature,
  encryptedKeyText,
  escapeAttribute,
  sealBytes,
  wrappedBase64,
  xmlDigest,
} from '../../signing/index.ts'
import type { SigningKey, XmlReference } from '../../signing/index.ts'
import { NS5 } from './messages.ts'
import type { Attachment } from './messages.ts'

export interface ContentOrder {
  /** goes into the container as Base64Content */
  inline: Buffer
  /** plaintext; names are unique and fit for `cid:` */
  attachments: readonly Attachment[]
  /** author's key and the Id of its certificate in the message */
  author: { key: SigningKey; certificateId: string }
  /** reader's cipher certificate (DER) and its Id in the message */
  reader: { certificate: Buffer; certificateId: string }
}

/** What goes into the message. */
export interface ComposedContent {
  /** text of osci:ContentPackage, canonical under the five namespaces */
  packageText: string
  /** encrypted attachments */
  attachments: Attachment[]
}

/** Signs and encrypts content for one reader. */
export async function composeContent(order: ContentOrder, random: (bytes: number) => Buffer): Promise<ComposedContent> {
  const contents = contentElements(order)
  const references = contentReferences(order)
  const signature = await composeSignature(order.author.key, {
    references,
    keyUri: `#${order.author.certificateId}`,
    scope: NS5,
  })
  const sealedParts = order.attachments.map((attachment) => sealAttachment(attachment, random))
  const container =
    `<osci:ContentContainer${NS5} Id="contentcontainer0">${signature}${contents.join('')}` +
    `${sealedParts.map((part) => part.keyText).join('')}</osci:ContentContainer>`
  const { key, sealed } = sealBytes(Buffer.from(container, 'utf8'), random)
  const { certificate, certificateId } = order.reader
  const encryptedKey = encryptedKeyText(key, { certificate, uri: `#${certificateId}` })
  key.fill(0)
  const packageText =
    `<osci:ContentPackage><xenc:EncryptedData Id="encdata_0" MimeType="text/xml">${SEAL_METHOD_TEXT}` +
    `<ds:KeyInfo>${encryptedKey}</ds:KeyInfo><xenc:CipherData>` +
    `<xenc:CipherValue>${wrappedBase64(sealed)}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></osci:ContentPackage>`
  return { packageText, attachments: sealedParts.map((part) => part.attachment) }
}

/** Inline data carries its Id on Base64Content, a reference on Content. */
function contentElements({ inline, attachments }: ContentOrder): string[] {
  const first = `<osci:Content><osci:Base64Content Id="content0">${wrappedBase64(inline)}</osci:Base64Content></osci:Content>`
  return [first, ...attachments.map((attachment, n) => referenceElement(attachment.name, n + 1, ''))]
}

function referenceElement(name: string, number: number, scope: string): string {
  return `<osci:Content${scope} Id="content${number}" href="cid:${escapeAttribute(name)}"></osci:Content>`
}

function contentReferences({ inline, attachments }: ContentOrder): XmlReference[] {
  const reference = (uri: string, transform: XmlReference['transform'], octets: Buffer): XmlReference => ({
    uri,
    transform,
    digestMethod: SHA256,
    digest: xmlDigest(SHA256, octets),
  })
  // The author vouches for the plaintext of an attachment and for the element that names it.
  return [
    reference('#content0', 'base64', inline),
    ...attachments.flatMap(({ name, body }, n) => [
      reference(`#content${n + 1}`, 'c14n', Buffer.from(referenceElement(name, n + 1, NS5), 'utf8')),
      reference(`cid:${name}`, 'none', body),
    ]),
  ]
}

function sealAttachment(
  { name, contentType, body }: Attachment,
  random: (bytes: number) => Buffer,
): { attachment: Attachment; keyText: string } {
  const { key, sealed } = sealBytes(body, random)
  const escaped = escapeAttribute(name)
  const keyText =
    `<xenc:EncryptedData Id="Attachment${escaped}" MimeType="text/xml">${SEAL_METHOD_TEXT}<ds:KeyInfo><ds:MgmtData>` +
    `${wrappedBase64(key)}</ds:MgmtData></ds:KeyInfo><xenc:CipherData><xenc:CipherReference URI="cid:${escaped}">` +
    `<xenc:Transforms><ds:Transform Algorithm="${DSIG_NAMESPACE}base64"></ds:Transform></xenc:Transforms>` +
    '</xenc:CipherReference></xenc:CipherData></xenc:EncryptedData>'
  key.fill(0)
  return { attachment: { name, contentType, body: sealed }, keyText }
}
