/**
 * Facts about a time-stamp that is a file of its own: a token (.tst) or the answer of an authority (.tsr), RFC 3161 §2.4.2.
 */
import { berChildren, readBer } from '../asn1/ber.ts'
import { TAG, readOid } from '../asn1/der.ts'
import { evidenceOf, objectsInToken } from '../cms/carried.ts'
import { contentDigests } from '../cms/content.ts'
import { ID_SIGNED_DATA } from '../cms/oids.ts'
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import type { DocumentFacts } from '../validation/facts.ts'
import { readTokenFacts } from './facts.ts'

/**
 * Never throws for what is in `bytes`.
 *
 * @param content what the time-stamp is said to be over; null: not at hand
 */
export async function readTimestampFacts(bytes: Buffer, content: RandomAccess | null): Promise<DocumentFacts> {
  const token = tokenInAnswer(bytes) ?? bytes
  const facts = await readTokenFacts({
    bytes: token,
    id: 'T1',
    kind: 'document',
    contentDigest: content === null ? null : contentDigests(content),
    covers: new Set(),
  })
  const evidence = evidenceOf(objectsInToken(token))
  return { format: 'timestamp', signatures: [], timestamps: [facts], evidence, findings: [] }
}

/** The token in the answer of an authority; null when this is no answer with a token. */
export function tokenInAnswer(bytes: Buffer): Buffer | null {
  try {
    const whole = readBer(bytes)
    const [status, token] = berChildren(whole, TAG.sequence)
    if (status?.tag !== TAG.sequence || token === undefined || whole.encoding.length !== bytes.length) return null
    return readOid(berChildren(token, TAG.sequence)[0]) === ID_SIGNED_DATA ? token.encoding : null
  } catch (error) {
    if (error instanceof SigningError) return null
    throw error
  }
}
