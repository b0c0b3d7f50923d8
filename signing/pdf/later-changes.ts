/**
 * What happened to a document after one of its signatures was made: compared, judged, and put into faults and findings.
 */
import type { SignatureFault } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { compareSince } from './comparison/compare.ts'
import { judgeChanges } from './comparison/judge-changes.ts'
import { dictionaryOf } from './comparison/objects.ts'
import { readPermissions } from './comparison/permissions.ts'
import { findReach } from './comparison/reach.ts'
import type { Reach } from './comparison/reach.ts'
import { readFields } from './fields.ts'
import type { Revision, Revisions } from './revisions/revisions.ts'
import { readFormDictionary } from './revisions/signature-sites.ts'
import type { SignatureSite } from './revisions/signature-sites.ts'
import { readSignatureTexts } from './signature-texts.ts'

export interface LaterChanges {
  of(site: SignatureSite, revision: Revision): Promise<{ faults: SignatureFault[]; findings: Finding[] }>
}

/** @param oldest the oldest revision that will be asked about */
export function createLaterChanges(revisions: Revisions, oldest: Revision): LaterChanges {
  let reach: Promise<Reach> | null = null
  const reachOnce = async (): Promise<Reach> => {
    reach ??= findReach(revisions, oldest)
    return reach
  }

  async function of(site: SignatureSite, revision: Revision) {
    if (revision === revisions.newest || site.dictionary === null) return { faults: [], findings: [] }
    const changes = await compareSince(revisions, revision, await reachOnce())
    const permissions = await readPermissions(revision, site.dictionary, site.field)
    const { faults, findings } = judgeChanges(changes, permissions)
    return { faults, findings: [...findings, ...(await displayFindings(revisions, site))] }
  }

  return { of }
}

/** Is the field still there with its signature, and does it still say the same? */
async function displayFindings({ newest }: Revisions, site: SignatureSite): Promise<Finding[]> {
  if (site.last === newest || site.dictionary === null) return []
  const form = await readFormDictionary(newest.document)
  const fields = form === null ? [] : await readFields(newest.document, form, () => undefined)
  const field = fields.find(
    ({ reference, name }) => site.fields.has(reference?.number ?? -1) && name === site.fieldName,
  )
  const value = await dictionaryOf(newest.document, field?.dictionary.entries.get('V'))
  if (value === null) return [{ severity: 'unclean', code: 'signature-removed', detail: '' }]
  const before = await readSignatureTexts(site.first.document, site.dictionary)
  const after = await readSignatureTexts(newest.document, value)
  return before.all === after.all ? [] : [{ severity: 'unclean', code: 'display-changed', detail: '' }]
}
