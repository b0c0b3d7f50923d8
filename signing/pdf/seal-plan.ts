/**
 * What a seal adds to a document: signature dictionary, field, its entries in form and page, as one update.
 */
import { contentHash } from '../cms/signed-data.ts'
import { SigningError } from '../errors.ts'
import type { SigningErrorCode } from '../errors.ts'
import type { SigningIdentity } from '../keys/signing-key.ts'
import type { RandomAccess } from '../random-access.ts'
import { signatureDictionary, timestampDictionary } from './byte-range.ts'
import { digestRanges } from './digests.ts'
import { openDocument } from './document.ts'
import type { PdfDocument } from './document.ts'
import { CERTIFICATION, findEmptyField, lockReference } from './empty-field.ts'
import type { EmptyField } from './empty-field.ts'
import { addField, certify, createDraft, fillField, finish } from './field-changes.ts'
import type { Draft } from './field-changes.ts'
import { readForm } from './form.ts'
import type { Form } from './form.ts'
import { checkPermissions, readRestrictions } from './locks.ts'
import type { Restrictions } from './locks.ts'
import { readClaims } from './mark/claims.ts'
import type { SealMark } from './mark/mark.ts'
import { signatureEntries } from './seal-objects.ts'
import type { SealNotice, SealRequest } from './seal-request.ts'
import { checkSeedValues } from './seed-values.ts'
import type { SeedFacts } from './seed-values.ts'
import { checkSignatures } from './signatures.ts'
import { array } from './values.ts'
import type { PdfDictionary } from './values.ts'

export interface SealPlan {
  /** to be appended to the document; its /ByteRange and /Contents are still holes */
  update: Buffer
  /** offset in `update` of the signature dictionary */
  signatureAt: number
  /** name of the field, new or old */
  field: string
  notices: SealNotice[]
}

/**
 * @param room bytes for the CMS object
 * @throws SigningError as sealPdf
 */
export async function planSeal(
  source: RandomAccess,
  key: SigningIdentity,
  request: SealRequest,
  { signerName, reservedBytes }: { signerName: string; reservedBytes: number },
): Promise<SealPlan> {
  const document = await openDocument(source, request)
  const form = await readForm(document)
  const field = request.field === undefined ? null : await findEmptyField(document, form, request.field)
  checkPermissions(document, field === null ? 'field' : 'value')
  const restrictions = await readRestrictions(document, form)
  if (request.certify !== undefined) checkFirst(form, restrictions)
  if (field !== null) await checkSeedValues(document, field.dictionary, seedFacts(key, request))
  const entries = signatureEntries(request, signerName)
  const transforms = await transformsOf(document, form, field, request)
  if (transforms.length > 0) entries.set('Reference', array(...transforms))
  const draft = createDraft(document, form, restrictions)
  const signature = draft.add(signatureDictionary(entries, reservedBytes))
  const mark = await markFor(draft, field, request)
  if (field !== null) await fillField(draft, field, signature, mark)
  const name = field?.name ?? (await addField(draft, 'Siegel', signature, mark))
  if (request.certify !== undefined) await certify(draft, signature)
  // last, for it reads all that earlier signatures cover
  const notices = await checkEarlier(document, source, form, request)
  if (mark === null && request.mark !== undefined) notices.push('mark-omitted')
  const { update, signatureAt } = await finish(draft, signature)
  return { update, signatureAt, field: name, notices }
}

/** What the signature says about later changes (§12.8.1 table 256). */
async function transformsOf(
  document: PdfDocument,
  form: Form,
  field: EmptyField | null,
  { certify: asked }: SealRequest,
): Promise<PdfDictionary[]> {
  const lock = field === null ? null : await lockReference(document, field, form.catalog.reference)
  const transforms = asked === undefined ? [] : [CERTIFICATION]
  if (lock !== null) transforms.push(lock)
  return transforms
}

/** The same for a document time-stamp. */
export async function planTimestamp(document: PdfDocument, reservedBytes: number): Promise<SealPlan> {
  checkPermissions(document, 'evidence')
  const form = await readForm(document)
  const draft = createDraft(document, form, await readRestrictions(document, form))
  const signature = draft.add(timestampDictionary(reservedBytes))
  const field = await addField(draft, 'Zeitstempel', signature, null)
  return { ...(await finish(draft, signature)), field, notices: [] }
}

/**
 * The mark, where it may be: a document that claims PDF/UA has nothing to see that is not tagged, and a certified one
 * gets nothing to see but in a field that waited for it.
 */
async function markFor(
  { document, form, restrictions }: Draft,
  field: EmptyField | null,
  { mark }: SealRequest,
): Promise<SealMark | null> {
  if (mark === undefined || (restrictions.isCertified && field === null)) return null
  return (await readClaims(document, form.catalog.dictionary)).isAccessible ? null : mark
}

function seedFacts(key: SigningIdentity, { reason, timestamps, certify }: SealRequest): SeedFacts {
  return {
    digest: contentHash(key),
    reason: reason ?? '',
    hasTimestamp: timestamps !== undefined,
    isCertification: certify !== undefined,
    chain: key.certificateChain,
  }
}

/** §12.8.2.2.1: a certification is the first signature. */
function checkFirst(form: Form, { isCertified }: Restrictions): void {
  if (form.signatures.length === 0 && !isCertified) return
  throw new SigningError('signing/pdf-locked', 'only the first signature of a document can certify it')
}

/** Nobody seals over a signature that does not fit without knowing it. */
async function checkEarlier(
  document: PdfDocument,
  source: RandomAccess,
  form: Form,
  { brokenSignatures }: SealRequest,
): Promise<SealNotice[]> {
  const notices: SealNotice[] = []
  const permissions = await document.resolve(form.catalog.dictionary.entries.get('Perms'))
  const rights = permissions.kind === 'dictionary' && ['UR', 'UR3'].some((key) => permissions.entries.has(key))
  if (rights) notices.push('usage-rights')
  try {
    await checkSignatures(document, form, (ranges, algorithm) => digestRanges(source, ranges, algorithm))
  } catch (error) {
    const isBroken = error instanceof SigningError && BROKEN.has(error.code)
    if (!isBroken || brokenSignatures !== 'accept') throw error
    notices.push('earlier-signature-broken')
  }
  return notices
}

const BROKEN: ReadonlySet<SigningErrorCode> = new Set(['signing/signature-broken', 'signing/asn1-damaged'])
