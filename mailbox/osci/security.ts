/**
 * Message signature and transport encryption of one hop (ClientSignature, SupplierSignature, soapMessageEncrypted).
 *
 * A verified message is built from the canonical octets that the signature covers, never from the text they were read
 * from: what was not signed does not exist for the callers.
 */
import {
  DSIG_NAMESPACE,
  SEAL_METHOD_TEXT,
  XENC_NAMESPACE,
  attributeOf,
  canonicalize,
  encryptedKeyText,
  isNamed,
  openSealed,
  optionalChild,
  parseXml,
  readEncryptedData,
  readSignature,
  sealBytes,
  signatureValueHolds,
  xmlDigest,
} from '../../signing/index.ts'
import type { CipherPolicy, DecryptionKey, ReadSignature, XmlElement, XmlReference } from '../../signing/index.ts'
import { MailboxError } from '../errors.ts'
import { SOAP, OSCI, XSI, schemaLocation } from './messages.ts'
import { newBoundary, parseMime, writeMime } from './mime.ts'
import type { MimeLimits, MimeMessage, MimePart } from './mime.ts'
import { ENVELOPE_LIMITS, asMailboxError, mailboxErrorOf, malformed, parseEnvelope } from './parse.ts'
import type { Envelope } from './parse.ts'

/** A message as far as its receiver may use it. */
export interface OsciMessage {
  /** message type; null = a SOAP fault, which is never signed */
  type: string | null
  /** header blocks without the signature, in document order */
  blocks: readonly XmlElement[]
  body: XmlElement
  parts: readonly MimePart[]
  /** DER of the certificate whose key signed all of it; null = unsigned */
  signer: Buffer | null
}

/** `incomplete`: something is not covered (OSCI 9602); `wrong`: a digest or the value does not hold (OSCI 9601). */
export type SignatureVerdict = { kind: 'accepted'; message: OsciMessage } | { kind: 'incomplete' } | { kind: 'wrong' }

/** Names the certificate (DER) that must have signed; null = no acceptable one. */
export type SignerLookup = (keyUri: string | null, envelope: Envelope) => Buffer | null

/**
 * Checks the message signature. An unsigned message is accepted with `signer: null`; whether that will do is policy.
 *
 * @throws MailboxError `mailbox/malformed` structure, algorithms that are not accepted included
 */
export function verifyMessage(envelope: Envelope, parts: readonly MimePart[], lookup: SignerLookup): SignatureVerdict {
  return asMailboxError(() => {
    const marks = envelope.blocks.filter(
      (block) => isNamed(block, OSCI, 'ClientSignature') || isNamed(block, OSCI, 'SupplierSignature'),
    )
    if (marks.length > 1) throw malformed('two signature headers')
    const [mark] = marks
    const { type, body } = envelope
    const blocks = envelope.blocks.filter((block) => block !== mark)
    if (!mark) return { kind: 'accepted', message: { type, blocks, body, parts, signer: null } }
    const element = optionalChild(mark, DSIG_NAMESPACE, 'Signature')
    if (!element) throw malformed('a signature header without signature')
    return verifySigned({ ...envelope, blocks }, parts, readSignature(element), lookup)
  })
}

function verifySigned(
  envelope: Envelope,
  parts: readonly MimePart[],
  signature: ReadSignature,
  lookup: SignerLookup,
): SignatureVerdict {
  const references = new Map(signature.references.map((reference) => [reference.uri, reference]))
  if (references.size !== signature.references.length) throw malformed('a reference twice')
  const elements = [...envelope.blocks, envelope.body]
  const octets = elementsCovered(elements, references)
  if (!Array.isArray(octets)) return octets
  const verdict = partsCovered(parts, references)
  if (verdict) return verdict
  // Both sides have the same size and everything of ours was found: no reference points elsewhere.
  if (references.size !== elements.length + parts.length) return { kind: 'wrong' }
  const signer = lookup(signature.keyUri, envelope)
  if (!signer || !signatureValueHolds(signature, signer)) return { kind: 'wrong' }
  const trusted = octets.map((bytes) => parseXml(bytes, ENVELOPE_LIMITS))
  const body = trusted.pop()
  if (!body) throw malformed('no body')
  return { kind: 'accepted', message: { type: envelope.type, blocks: trusted, body, parts, signer } }
}

type References = ReadonlyMap<string, XmlReference>
type Fault = { kind: 'incomplete' } | { kind: 'wrong' }

/** The canonical octets of all elements; only direct children of header and envelope are ever looked up. */
function elementsCovered(elements: readonly XmlElement[], references: References): Buffer[] | Fault {
  const octets: Buffer[] = []
  for (const element of elements) {
    const id = attributeOf(element, 'Id')
    const reference = id === null ? undefined : references.get(`#${id}`)
    if (!reference) return { kind: 'incomplete' }
    const found = coveredOctets(element, reference)
    if (!found) return { kind: 'wrong' }
    octets.push(found)
  }
  return octets
}

function partsCovered(parts: readonly MimePart[], references: References): Fault | null {
  for (const part of parts) {
    const reference = references.get(`cid:${part.name}`)
    if (!reference) return { kind: 'incomplete' }
    if (reference.transform !== 'none' || !holds(reference, part.body)) return { kind: 'wrong' }
  }
  return null
}

/** The canonical octets of an element when their digest is the referenced one. */
function coveredOctets(element: XmlElement, reference: XmlReference): Buffer | null {
  if (reference.transform !== 'c14n') return null
  const octets = canonicalize(element)
  if (holds(reference, octets)) return octets
  // A widespread peer writes `>` in attribute values as `&gt;` before hashing.
  const other = canonicalize(element, { escapeGreaterInAttributes: true })
  return holds(reference, other) ? other : null
}

function holds(reference: XmlReference, octets: Buffer): boolean {
  return xmlDigest(reference.digestMethod, octets).equals(reference.digest)
}

/** What came off the wire after transport encryption was undone. */
export interface OpenedTransport {
  message: MimeMessage
  envelope: Envelope
  encrypted: boolean
  /** the bytes of the message itself: the decrypted ones, or what came when nothing was encrypted */
  bytes: Buffer
}

/**
 * Takes a message off the wire and undoes transport encryption.
 *
 * @throws MailboxError `mailbox/malformed`, `mailbox/too-large`, `mailbox/wrong-recipient`, `mailbox/undecryptable`
 */
export async function openTransport(
  bytes: Buffer,
  key: DecryptionKey,
  limits: MimeLimits & { ciphers: CipherPolicy },
): Promise<OpenedTransport> {
  const outer = parseMime(bytes, limits)
  const envelope = parseEnvelope(outer.soap)
  if (envelope.type !== 'MessageEncrypted') return { message: outer, envelope, encrypted: false, bytes }
  const inner = await decryptTransport(envelope, outer, key, limits.ciphers)
  const message = parseMime(inner, limits)
  const opened = parseEnvelope(message.soap)
  if (opened.type === 'MessageEncrypted') throw malformed('transport encryption twice')
  return { message, envelope: opened, encrypted: true, bytes: inner }
}

async function decryptTransport(
  envelope: Envelope,
  outer: MimeMessage,
  key: DecryptionKey,
  ciphers: CipherPolicy,
): Promise<Buffer> {
  const data = asMailboxError(() => {
    const element = optionalChild(envelope.body, XENC_NAMESPACE, 'EncryptedData')
    if (!element) throw malformed('no encrypted data')
    return readEncryptedData(element, ciphers)
  })
  const [wrapped] = data.keys
  const part = outer.parts[0]
  if (!wrapped || data.data.kind !== 'reference' || !part || outer.parts.length !== 1) throw malformed('encrypted data')
  if (data.data.uri !== `cid:${part.name}`) throw malformed('the reference to the encrypted part')
  if (wrapped.certificate?.equals(key.certificate) !== true) {
    throw new MailboxError('mailbox/wrong-recipient', 'encrypted for a certificate that is not ours')
  }
  try {
    return await openSealed(part.body, data.method, { wrapped, by: key })
  } catch (cause) {
    throw mailboxErrorOf(cause)
  }
}

/** Encrypts a whole message for the receiver of the hop (AES-256-GCM, RSA-OAEP with SHA-256). */
export function sealTransport(bytes: Buffer, certificate: Buffer, random: (bytes: number) => Buffer): Buffer {
  const { key, sealed } = sealBytes(bytes, random)
  const namespaces =
    ` xmlns:ds="${DSIG_NAMESPACE}" xmlns:soap="${SOAP}" xmlns:xenc="${XENC_NAMESPACE}" xmlns:xsi="${XSI}"` +
    ` xsi:schemaLocation="${schemaLocation('MessageEncrypted')}"`
  const soap =
    `<soap:Envelope${namespaces}><soap:Body><xenc:EncryptedData MimeType="Multipart/Related">${SEAL_METHOD_TEXT}` +
    `<ds:KeyInfo>${encryptedKeyText(key, { certificate })}</ds:KeyInfo><xenc:CipherData>` +
    `<xenc:CipherReference URI="cid:osci_enc"><xenc:Transforms><ds:Transform Algorithm="${DSIG_NAMESPACE}base64">` +
    '</ds:Transform></xenc:Transforms></xenc:CipherReference></xenc:CipherData></xenc:EncryptedData></soap:Body></soap:Envelope>'
  key.fill(0)
  const part = { name: 'osci_enc', contentType: 'application/octet-stream', body: sealed }
  return writeMime(Buffer.from(soap, 'utf8'), [part], newBoundary(random))
}
