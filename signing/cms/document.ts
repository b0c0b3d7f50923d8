/**
 * Facts about a signature file (.p7s, .p7m, .p7b) or a bare time-stamp: DER or BER, one signer or several, content inside
 * or beside it, a signature over a signature (RFC 5652, ETSI EN 319 122-1).
 */
import { childrenOf, decodeFirst } from '../asn1/der.ts'
import { SigningError, readOrNull } from '../errors.ts'
import { bufferAccess } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import { readTimestampFacts, tokenInAnswer } from '../timestamp/document.ts'
import type { DocumentFacts, SignatureFacts, TimestampFacts } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { numbering } from '../validation/numbering.ts'
import type { Numbering } from '../validation/numbering.ts'
import { pdfHeaderIn, secondKind } from '../validation/second-kind.ts'
import { unreadableSignature } from '../validation/unreadable-signature.ts'
import { evidenceOf, joinEvidence, objectsIn } from './carried.ts'
import { readSignedData } from './container.ts'
import type { SignedDataParts } from './container.ts'
import { contentDigests } from './content.ts'
import { readOneSigner } from './facts.ts'
import { ID_TST_INFO } from './oids.ts'
import { looksLikeAttributes } from './signed-attributes.ts'

/**
 * Never throws for what is in `bytes`. When the content is a signature file itself, with its content inside, its
 * signatures come after those around it.
 *
 * @param content null when it is inside, or not at hand
 */
export async function readCmsFacts(bytes: Buffer, content: RandomAccess | null): Promise<DocumentFacts> {
  const parts = readParts(bytes)
  const isTimestamp = parts === null ? tokenInAnswer(bytes) !== null : parts.contentType === ID_TST_INFO
  if (isTimestamp) return readTimestampFacts(bytes, content)
  return readSignatureFile(bytes, content, { numbers: numbering(), name: '' })
}

export interface FileContext {
  numbers: Numbering
  /** of the file, for `SignatureFacts.name`; empty when there is none */
  name: string
  /** how many signature files are around this one */
  depth?: number
}

/** One signature file, which may be part of a larger document. */
export async function readSignatureFile(
  bytes: Buffer,
  content: RandomAccess | null,
  context: FileContext,
): Promise<DocumentFacts> {
  const parts = readParts(bytes)
  if (parts === null) return unreadable(bytes, context, 'this is no SignedData, or a broken one')
  if (parts.signers.length === 0) return unreadable(bytes, context, 'nobody signed')
  const source = parts.content === null ? content : bufferAccess(parts.content)
  const { signatures, timestamps } = await readSigners(parts, source, context)
  const inner = await readInner(source, context)
  return {
    format: 'cms',
    signatures: [...signatures, ...(inner?.signatures ?? [])],
    timestamps: [...timestamps, ...(inner?.timestamps ?? [])],
    evidence: joinEvidence([evidenceOf(objectsIn(parts)), ...(inner === null ? [] : [inner.evidence])]),
    findings: [
      ...formFindings(bytes, parts),
      ...(await besideFindings(parts.content, content)),
      ...(inner?.findings ?? []),
    ],
  }
}

function unreadable(bytes: Buffer, { numbers, name }: FileContext, detail: string): DocumentFacts {
  const fault = { code: 'format', detail } as const
  const signature = unreadableSignature({ id: numbers.nextSignatureId(), form: 'CAdES', name }, bytes, fault)
  const evidence = { certificates: [], crls: [], ocsps: [] }
  return { format: 'cms', signatures: [signature], timestamps: [], evidence, findings: [] }
}

async function readSigners(
  parts: SignedDataParts,
  source: RandomAccess | null,
  { numbers, name }: FileContext,
): Promise<Pick<DocumentFacts, 'signatures' | 'timestamps'>> {
  const signatures: SignatureFacts[] = []
  const timestamps: TimestampFacts[] = []
  const contentDigest = source === null ? null : contentDigests(source)
  const budget = { left: MAX_JUDGED }
  for (const signer of parts.signers) {
    const facts = await readOneSigner({
      parts,
      signer,
      id: numbers.nextSignatureId(),
      form: 'CAdES',
      name,
      contentDigest,
      content: source,
      nextTimestampId: numbers.nextTimestampId,
      budget,
    })
    const isConfused = signer.signedAttributes === null && (await isAttributes(source))
    signatures.push(isConfused ? confused(facts.signature) : facts.signature, ...facts.countersignatures)
    timestamps.push(...facts.timestamps)
  }
  return { signatures, timestamps }
}

/** What stands inside was judged with the signer; this is for content that lies beside it. */
async function isAttributes(source: RandomAccess | null): Promise<boolean> {
  if (source === null || source.size > MAX_ATTRIBUTES_BYTES) return false
  return looksLikeAttributes(await source.read(0, source.size))
}

function confused(signature: SignatureFacts): SignatureFacts {
  const detail = 'the content looks like signed attributes that were taken off'
  const others = signature.faults.filter(({ code }) => code !== 'format')
  return {
    ...signature,
    faults: [{ code: 'format', detail }, ...others],
    scope: { ...signature.scope, kind: 'nothing' },
  }
}

/** A signature over a signature: .p7s over .p7m, or .p7m in .p7m. */
async function readInner(source: RandomAccess | null, context: FileContext): Promise<DocumentFacts | null> {
  const depth = (context.depth ?? 0) + 1
  if (source === null || depth > MAX_LAYERS || source.size > MAX_INNER_BYTES || source.size < 32) return null
  const start = await source.read(0, 32)
  if (start[0] !== 0x30 || !start.includes(SIGNED_DATA)) return null
  const bytes = await source.read(0, source.size)
  const parts = readParts(bytes)
  if (parts?.content == null || parts.contentType === ID_TST_INFO) return null
  return readSignatureFile(bytes, null, { ...context, depth })
}

/** Who hands in a document beside a signature that has its content inside asks about that document. */
async function besideFindings(inside: Buffer | null, beside: RandomAccess | null): Promise<Finding[]> {
  if (inside === null || beside === null) return []
  const isSame = inside.length === beside.size && inside.equals(await beside.read(0, beside.size))
  return isSame ? [] : [{ severity: 'unclean', code: 'files-not-covered', detail: 'another content is inside' }]
}

function formFindings(
  bytes: Buffer,
  { trailing, contentEncoding }: Pick<SignedDataParts, 'contentEncoding'> & { trailing: Buffer },
): Finding[] {
  const findings: Finding[] = []
  if (!isDerFrame(bytes)) findings.push({ severity: 'info', code: 'not-der', detail: '' })
  if (trailing.length > 0) {
    const isPadding = trailing.every((byte) => byte === 0)
    const severity = isPadding ? 'warning' : 'unclean'
    findings.push({ severity, code: 'trailing-bytes', detail: `${trailing.length}` })
  }
  if (beginsAnotherPdf(bytes, contentEncoding)) findings.push(secondKind('PDF'))
  return findings
}

/** A signed PDF inside is what a viewer shows then; one that begins elsewhere is another. */
function beginsAnotherPdf(bytes: Buffer, content: Buffer | null): boolean {
  const header = pdfHeaderIn(bytes)
  if (header === null || content === null) return header !== null
  const start = content.byteOffset - bytes.byteOffset
  return header < start || header >= start + content.length
}

/** Are the outer three levels DER? What is below, signatures and attributes ask for themselves. */
function isDerFrame(bytes: Buffer): boolean {
  try {
    const [, wrapper] = childrenOf(decodeFirst(bytes), 0x30)
    const [signedData] = childrenOf(wrapper, 0xa0)
    return childrenOf(signedData, 0x30).length > 0
  } catch (error) {
    if (error instanceof SigningError) return false
    throw error
  }
}

function readParts(bytes: Buffer): (SignedDataParts & { trailing: Buffer }) | null {
  return readOrNull(() => readSignedData(bytes))
}

const SIGNED_DATA = Buffer.from('06092a864886f70d010702', 'hex')
const MAX_ATTRIBUTES_BYTES = 64 * 1024
const MAX_INNER_BYTES = 64 * 1024 * 1024
const MAX_LAYERS = 3
/** of time-stamps and counter-signatures */
const MAX_JUDGED = 2_000
