/**
 * What the changes after a signature mean for it: faults where it does not allow them, findings where a person should
 * know (ISO 32000-2 §12.8.2.2 table 257). Pure.
 *
 * A signature that says nothing allows what level 2 allows; annotations are reported, and neither they nor values of
 * form fields that were there when it was made may be replaced.
 */
import type { SignatureFault } from '../../validation/facts.ts'
import type { Finding, FindingCode, Severity } from '../../validation/finding.ts'
import type { Change } from './change.ts'
import { isLocked } from './permissions.ts'
import type { Permissions } from './permissions.ts'

export interface ChangeVerdict {
  faults: SignatureFault[]
  findings: Finding[]
}

export function judgeChanges(changes: readonly Change[], permissions: Permissions): ChangeVerdict {
  const forbidden: string[] = []
  const notes = new Map<string, { severity: Severity; code: FindingCode; places: string[] }>()
  const note = (severity: Severity, code: FindingCode, { place }: Change): void => {
    const key = `${severity} ${code}`
    const known = notes.get(key)
    if (known === undefined) notes.set(key, { severity, code, places: [place] })
    else known.places.push(place)
  }
  for (const change of changes) {
    const reason = whyForbidden(change, permissions)
    if (reason !== null) {
      forbidden.push(`${change.place} (${reason})`)
      continue
    }
    const [severity, code] = KNOWN[change.kind]
    note(severity, code, change)
    if (change.canCover !== true) continue
    const isGrave = change.kind === 'annotation' && permissions.level === null
    note(isGrave ? 'unclean' : 'warning', 'content-covered', change)
  }
  return {
    faults: forbidden.length === 0 ? [] : [{ code: 'forbidden-change', detail: listed(forbidden) }],
    findings: [...notes.values()].map(({ severity, code, places }) => ({ severity, code, detail: listed(places) })),
  }
}

/** Null: it is allowed. */
function whyForbidden(change: Change, permissions: Permissions): string | null {
  switch (change.kind) {
    case 'signature':
      return whyLocked(change, permissions)
    case 'form':
      return whyLocked(change, permissions) ?? whyReplaced(change, permissions)
    case 'annotation':
      return whyNotAnnotated(change, permissions)
    case 'forbidden':
      return 'never allowed'
    case 'evidence':
    case 'metadata':
    case 'timestamp':
    case 'unused':
    case 'unclear':
      return null
  }
}

function whyLocked({ field }: Change, permissions: Permissions): string | null {
  if (permissions.level === 1) return 'certified against any change'
  return field !== undefined && isLocked(permissions, field) ? 'the field is locked' : null
}

function whyReplaced({ isReplaced }: Change, { level, locks }: Permissions): string | null {
  return isReplaced === true && level === null && locks.length === 0 ? 'it had a value when signed' : null
}

function whyNotAnnotated({ isReplaced }: Change, { level }: Permissions): string | null {
  if (level === 1 || level === 2) return 'certified against annotations'
  return isReplaced === true && level === null ? 'it was there when signed' : null
}

function listed(places: readonly string[]): string {
  const rest = places.length - MAX_PLACES
  return places.slice(0, MAX_PLACES).join('; ') + (rest > 0 ? `; and ${rest} more` : '')
}

const MAX_PLACES = 8
/** for changes that are allowed */
const KNOWN: Readonly<Record<Change['kind'], [Severity, FindingCode]>> = {
  evidence: ['info', 'extended-after-signing'],
  metadata: ['info', 'extended-after-signing'],
  timestamp: ['info', 'extended-after-signing'],
  signature: ['info', 'extended-after-signing'],
  form: ['warning', 'extended-after-signing'],
  annotation: ['warning', 'annotations-after-signing'],
  unused: ['info', 'unclear-change'],
  unclear: ['unclean', 'unclear-change'],
  forbidden: ['unclean', 'unclear-change'],
}
