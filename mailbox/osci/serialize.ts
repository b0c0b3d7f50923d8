/**
 * OSCI structures to bytes. Every block is written in its own canonical form, so that the emitted text is what is hashed.
 */
import { SHA256, composeSignature, escapeAttribute, escapeText, wrappedBase64, xmlDigest } from '../../signing/index.ts'
import type { SigningKey, XmlReference } from '../../signing/index.ts'
import { NEXT, NONE, NS5, NS6, schemaLocation } from './messages.ts'
import type { Attachment, CertificateEntry, ControlBlock, FeedbackEntry } from './messages.ts'
import { fingerprint } from './identity.ts'
import { newBoundary, writeMime } from './mime.ts'

/** A header block in canonical form, with the Id that the signature refers to. */
export interface Block {
  id: string
  text: string
}

/** Everything of a message but its signature. */
export interface Draft {
  type: string
  control: ControlBlock
  /** in wire order, without ControlBlock and signature */
  blocks: Block[]
  /** inside soap:Body, in canonical form under NS5 */
  body: string
  attachments: readonly Attachment[]
}

/** Who signs a message, and the Id of its certificate in the message's certificate header. */
export interface Signer {
  key: SigningKey
  certificateId: string
  /** requests carry ClientSignature, responses SupplierSignature */
  as: 'client' | 'supplier'
}

/** Signs a draft and writes the whole MIME message; without signer it stays unsigned. */
export async function writeMessage(
  draft: Draft,
  signer: Signer | null,
  random: (bytes: number) => Buffer,
): Promise<Buffer> {
  const control = controlBlock(draft.control)
  const body = `<soap:Body${NS5} Id="body">${draft.body}</soap:Body>`
  const signature = signer
    ? await signatureHeader([control, ...draft.blocks, { id: 'body', text: body }], draft, signer)
    : ''
  const soap =
    `<soap:Envelope${NS5} xsi:schemaLocation="${schemaLocation(draft.type)}"><soap:Header>${control.text}${signature}` +
    `${draft.blocks.map((block) => block.text).join('')}</soap:Header>${body}</soap:Envelope>`
  return writeMime(Buffer.from(soap, 'utf8'), draft.attachments, newBoundary(random))
}

async function signatureHeader(blocks: Block[], draft: Draft, signer: Signer): Promise<string> {
  const references: XmlReference[] = blocks.map(({ id, text }) => ({
    uri: `#${id}`,
    transform: 'c14n',
    digestMethod: SHA256,
    digest: xmlDigest(SHA256, Buffer.from(text, 'utf8')),
  }))
  for (const { name, body } of draft.attachments) {
    references.push({ uri: `cid:${name}`, transform: 'none', digestMethod: SHA256, digest: xmlDigest(SHA256, body) })
  }
  const keyUri = `#${signer.certificateId}`
  const signature = await composeSignature(signer.key, { references, keyUri, scope: NS5 })
  const [name, id] =
    signer.as === 'client' ? ['ClientSignature', 'clientsignature'] : ['SupplierSignature', 'suppliersignature']
  return `<osci:${name}${NS5} Id="${id}"${NEXT}>${signature}</osci:${name}>`
}

function controlBlock(control: ControlBlock): Block {
  const conversation = control.conversationId === null ? '' : ` ConversationId="${control.conversationId}"`
  const sequence = control.sequenceNumber === null ? '' : ` SequenceNumber="${control.sequenceNumber}"`
  const response = control.response === null ? '' : `<osci:Response>${escapeText(control.response)}</osci:Response>`
  const challenge =
    control.challenge === null ? '' : `<osci:Challenge>${escapeText(control.challenge)}</osci:Challenge>`
  const start = `<osci:ControlBlock${NS5}${conversation} Id="controlblock"${sequence}${NEXT}>`
  return { id: 'controlblock', text: `${start}${response}${challenge}</osci:ControlBlock>` }
}

/** The language in which feedback texts are wanted. */
export function desiredLanguages(): Block {
  const text = `<osci:DesiredLanguages${NS5} Id="desiredlanguages" LanguagesList="de"${NEXT}></osci:DesiredLanguages>`
  return { id: 'desiredlanguages', text }
}

/** QualityOfTimestamp: plain time stamps, the only kind this house asks for. */
export function qualityOfTimestamp(service: 'creation' | 'reception'): Block {
  const id = `qualityoftimestamp_${service}`
  const attributes = ` Id="${id}" Quality="plain" Service="${service}"`
  return { id, text: `<osci:QualityOfTimestamp${NS5}${attributes}${NEXT}></osci:QualityOfTimestamp>` }
}

/** An operation header such as storeDelivery. */
export function operationHeader(name: string, content: string): Block {
  const id = name.toLowerCase()
  return { id, text: `<osci:${name}${NS5} Id="${id}"${NEXT}>${content}</osci:${name}>` }
}

/** A certificate entry under the Id that OSCI peers compute: role, kind and hash. */
export function certificateEntry(role: string, shortRole: string, certificate: Buffer): CertificateEntry {
  const kind = role.startsWith('Cipher') ? 'cipher' : 'signature'
  return { id: `${shortRole}_${kind}_${fingerprint(certificate)}`, role, certificate }
}

const ORDER = [
  'CipherCertificateOriginator',
  'CipherCertificateOtherAuthor',
  'CipherCertificateAddressee',
  'CipherCertificateOtherReader',
  'SignatureCertificateOriginator',
  'SignatureCertificateOtherAuthor',
]

/** NonIntermediaryCertificates in the order of the schema; Ids stay as they are. */
export function nonIntermediaryCertificates(entries: readonly CertificateEntry[]): Block {
  const sorted = [...entries].sort((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role))
  return certificates('NonIntermediaryCertificates', sorted)
}

/** IntermediaryCertificates of a response: the signature certificate only, peers refuse a cipher certificate here. */
export function intermediaryCertificates(entry: CertificateEntry): Block {
  return certificates('IntermediaryCertificates', [entry])
}

function certificates(name: string, entries: readonly CertificateEntry[]): Block {
  const content = entries
    .map(({ id, role, certificate }) => {
      const data = `<ds:X509Data><ds:X509Certificate>${wrappedBase64(certificate)}</ds:X509Certificate></ds:X509Data>`
      return `<osci:${role} Id="${escapeAttribute(id)}">${data}</osci:${role}>`
    })
    .join('')
  const id = name.toLowerCase()
  return { id, text: `<osci:${name}${NS5} Id="${id}"${NONE}>${content}</osci:${name}>` }
}

/** What we understand beyond the first version of the protocol. */
export function featureDescription(): Block {
  const features = [
    ['DisableBase64', '1.2.0'],
    ['OAEPEncryption', '1.6.0'],
    ['SHA3HashAlgo', '1.6.3'],
    ['GCMPaddingModus', '1.7.0'],
    ['Support96Bit12ByteIV', '1.9.0'],
  ]
    .map(([key, version]) => `<osci2017:Feature Key="${key ?? ''}" Version="${version ?? ''}"></osci2017:Feature>`)
    .join('')
  const list = `<osci2017:SupportedFeatures>${features}</osci2017:SupportedFeatures>`
  const text = `<osci2017:FeatureDescription${NS6} Id="featuredescription">${list}</osci2017:FeatureDescription>`
  return { id: 'featuredescription', text }
}

/** A Feedback element. */
export function feedbackText(entries: readonly FeedbackEntry[]): string {
  const list = entries
    .map(
      ({ code, text }) =>
        `<osci:Entry xml:lang="de"><osci:Code>${code}</osci:Code><osci:Text>${escapeText(text)}</osci:Text></osci:Entry>`,
    )
    .join('')
  return `<osci:Feedback>${list}</osci:Feedback>`
}

/** A MessageId element: base64 of UTF-8. */
export function messageIdText(messageId: string): string {
  return `<osci:MessageId>${wrappedBase64(Buffer.from(messageId, 'utf8'))}</osci:MessageId>`
}

/** A SOAP fault: never signed, never encrypted, without header and schemaLocation, or peers do not see its code. */
export function writeFault(code: string, text: string, random: (bytes: number) => Buffer): Buffer {
  const side = /^(?:9000|9503)$/.test(code) ? 'Server' : 'Client'
  const soap =
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:osci="http://www.osci.de/2002/04/osci">' +
    `<soap:Body><soap:Fault><faultcode>soap:${side}</faultcode><faultstring>${escapeText(text)}</faultstring>` +
    `<detail><osci:Code>${code}</osci:Code></detail></soap:Fault></soap:Body></soap:Envelope>`
  return writeMime(Buffer.from(soap, 'utf8'), [], newBoundary(random))
}
