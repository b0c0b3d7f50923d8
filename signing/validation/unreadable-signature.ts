/**
 * Facts about something that is a signature but cannot be read: it must be reported, never passed over.
 */
import type { SignatureFacts, SignatureFault } from './facts.ts'
import { objectId } from './object-id.ts'

/** @param bytes what cannot be read */
export function unreadableSignature(
  who: Pick<SignatureFacts, 'id' | 'form' | 'name'>,
  bytes: Buffer,
  fault: SignatureFault,
): SignatureFacts {
  return {
    ...who,
    countersigns: null,
    faults: [fault],
    certificate: null,
    claimed: { time: null, reason: null, location: null, commitments: [], policy: null },
    algorithms: [],
    valueId: objectId(bytes),
    timestampIds: [],
    profileFaults: ['unreadable'],
    carriesEvidence: false,
    scope: { kind: 'nothing', names: [], revisionBytes: null },
    findings: [],
  }
}
