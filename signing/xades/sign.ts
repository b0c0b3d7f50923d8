/**
 * Makes XAdES signatures, level B-B: in the document that they sign, around the data, or beside files (ETSI EN 319 132-1
 * §6.3, EN 319 162-1 §4.4.3.2). levels.ts lifts them.
 */
import { createHash } from 'node:crypto'
import { contentHash } from '../cms/signed-data.ts'
import { SigningError } from '../errors.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { checkUsable } from '../keys/usable.ts'
import { parseCertificate } from '../trust/certificate.ts'
import { xmlSignatureValue } from '../xml/algorithms.ts'
import { canonicalizeDocument } from '../xml/c14n.ts'
import { findSignatures, readDsig, verifyDsigValue } from '../xml/dsig.ts'
import { elementsOf } from '../xml/ids.ts'
import { DSIG_NAMESPACE, EXCLUSIVE_NAMESPACE } from '../xml/namespaces.ts'
import { parseDocument } from '../xml/parse.ts'
import { appendInto } from '../xml/splice.ts'
import { EXCLUSIVE_FORM, canonicalInPlace } from '../xml/transforms.ts'
import { signatureText } from './compose.ts'
import type { DataReference, SignatureDraft } from './compose.ts'
import { XADES_LIMITS } from './limits.ts'
import { isXades } from './properties.ts'

export interface XadesRequest {
  /** claimed time, a signed property; the certificate must be valid then */
  signedAt: Date
}

/** Digests by the name of node:crypto. */
type SignDigest = 'sha256' | 'sha384' | 'sha512'

/**
 * Signs an XML document as a whole; the signature becomes the last child of its root, every other byte stays.
 *
 * @returns the signed document
 * @throws SigningError `signing/xml-locked` it is signed already; `signing/xml-malformed`, `signing/xml-forbidden`,
 * `signing/xml-too-large`, `signing/key-unusable`, `signing/signature-failed`
 */
export async function signXadesEnveloped(bytes: Buffer, key: SigningKey, request: XadesRequest): Promise<Buffer> {
  const document = parseDocument(bytes, XADES_LIMITS)
  if (findSignatures(document.root).length > 0)
    throw new SigningError('signing/xml-locked', 'a further signature inside would change what the first one covers')
  const data: DataReference = {
    uri: '',
    transforms: [`${DSIG_NAMESPACE}enveloped-signature`, EXCLUSIVE_NAMESPACE],
    type: null,
    digest: createHash(contentHash(key)).update(canonicalizeDocument(document, EXCLUSIVE_FORM)).digest(),
    mimeType: 'application/xml',
  }
  return appendInto(bytes, document, document.root, await signText({ data: [data] }, key, request))
}

/**
 * Signs data and carries them inside, as base64.
 *
 * @param content at most 16 MiB
 * @throws SigningError `signing/no-room`; codes as signXadesEnveloped
 */
export async function signXadesEnveloping(
  content: Buffer,
  mimeType: string,
  key: SigningKey,
  request: XadesRequest,
): Promise<Buffer> {
  if (content.length > MAX_CONTENT_BYTES)
    throw new SigningError('signing/no-room', 'a content of more than 16 MiB is signed detached')
  const digest = createHash(contentHash(key)).update(content).digest()
  const id = `${signatureId(key, request, [digest])}-data`
  const transforms = [`${DSIG_NAMESPACE}base64`]
  const data: DataReference = { uri: `#${id}`, transforms, type: `${DSIG_NAMESPACE}Object`, digest, mimeType }
  const object = `<ds:Object Id="${id}">${content.toString('base64')}</ds:Object>`
  return Buffer.from(DECLARATION + (await signText({ data: [data], object }, key, request)), 'utf8')
}

export interface DetachedReference {
  /** relative name of the file, percent-encoded (RFC 3986) */
  uri: string
  /** of the content of the file */
  digestOf: (digest: SignDigest) => Promise<Buffer>
  mimeType: string
}

/**
 * Signs files that lie beside the signature.
 *
 * @param root `asic`: as the signature file of a container wants it; `signature`: ds:Signature itself
 * @returns the signature file
 * @throws SigningError as signXadesEnveloped
 */
export async function signXadesDetached(
  references: readonly DetachedReference[],
  key: SigningKey,
  request: XadesRequest & { root?: 'asic' | 'signature' },
): Promise<Buffer> {
  const data: DataReference[] = []
  for (const { uri, digestOf, mimeType } of references)
    data.push({ uri, transforms: [], type: null, digest: await digestOf(contentHash(key)), mimeType })
  const text = await signText({ data }, key, request)
  const isAlone = request.root === 'signature'
  return Buffer.from(isAlone ? `${DECLARATION}${text}` : `${DECLARATION}${ASIC_START}${text}${ASIC_END}`, 'utf8')
}

/** @param object a further ds:Object */
async function signText(
  { data, object = '' }: { data: readonly DataReference[]; object?: string },
  key: SigningKey,
  request: XadesRequest,
): Promise<string> {
  const { signedAt } = request
  checkUsable(key, signedAt)
  const digest = contentHash(key)
  const certificateDigest = createHash(digest).update(key.certificateChain[0]).digest()
  const { algorithm, certificateChain: certificates } = key
  const id = signatureId(
    key,
    request,
    data.map((item) => item.digest),
  )
  const draft: SignatureDraft = { id, algorithm, digest, signedAt, certificates, certificateDigest, data, object }
  const propertiesDigest = digestProperties(draft)
  const signed = readText(signatureText(draft, propertiesDigest, EMPTY)).signedOctets ?? EMPTY
  const [value] = await key.sign([signed])
  if (value === undefined) throw new SigningError('signing/signature-failed', 'the key returned no signature')
  const text = signatureText(draft, propertiesDigest, xmlSignatureValue(key, value))
  checkOwn(text, key)
  return text
}

/** The exclusive form of a part does not depend on what will stand around it. */
function digestProperties(draft: SignatureDraft): Buffer {
  const { element } = readText(signatureText(draft, EMPTY, EMPTY))
  const properties = [...elementsOf(element)].find((candidate) => isXades(candidate, 'SignedProperties'))
  if (properties === undefined) throw new SigningError('signing/signature-failed', 'there are no signed properties')
  return createHash(draft.digest).update(canonicalInPlace(properties, EXCLUSIVE_FORM)).digest()
}

/** A value that does not fit is found before it leaves. */
function checkOwn(text: string, key: SigningKey): void {
  const { spki } = parseCertificate(key.certificateChain[0])
  if (verifyDsigValue(readText(text), spki).kind !== 'good')
    throw new SigningError('signing/signature-failed', 'the signature value does not verify')
}

const readText = (text: string): ReturnType<typeof readDsig> =>
  readDsig(parseDocument(Buffer.from(text, 'utf8'), XADES_LIMITS).root)

/** The same signer, time and data give the same name: no randomness, and no other signature with it. */
function signatureId(key: SigningKey, { signedAt }: XadesRequest, digests: readonly Buffer[]): string {
  const hash = createHash('sha256').update(key.certificateChain[0]).update(signedAt.toISOString())
  for (const digest of digests) hash.update(digest)
  return `sig-${hash.digest('hex').slice(0, 32)}`
}

const EMPTY = Buffer.alloc(0)
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
const ASIC_START = '<asic:XAdESSignatures xmlns:asic="http://uri.etsi.org/02918/v1.2.1#">'
const ASIC_END = '</asic:XAdESSignatures>'
const MAX_CONTENT_BYTES = 16 * 1024 * 1024
