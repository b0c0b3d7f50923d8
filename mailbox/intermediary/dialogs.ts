/**
 * Open dialogs of the intermediary, kept in rows so that they outlive a restart and a change of process.
 */
import type { OpenDialog, Storage, World } from '../../storage/index.ts'
import { admitRequest } from '../osci/dialog.ts'
import type { Admission } from '../osci/dialog.ts'
import { fingerprint } from '../osci/identity.ts'
import type { ControlBlock, RequestType } from '../osci/messages.ts'

export interface DialogsDeps extends World {
  storage: Storage
  idleMs: number
}

/** A request's place: its dialog as it stands after the request was let in, and the control data of the answer. */
export interface Place {
  dialog: OpenDialog | null
  control: ControlBlock
}

export interface Caller {
  type: RequestType
  control: ControlBlock
  /** the dialog that the ConversationId names; null = none */
  dialog: OpenDialog | null
  /** cipher certificate (DER) of the client */
  cipherCertificate: Buffer
  /** DER; null = unsigned */
  signer: Buffer | null
  encrypted: boolean
}

/**
 * Lets a request into its dialog, or opens one. The next request of a dialog is the receipt for the delivery that the
 * answer before it carried: both are recorded in one transaction.
 *
 * @returns the place, or the OSCI code of the refusal; a refused dialog is closed
 */
export async function enterDialog(deps: DialogsDeps, caller: Caller): Promise<Place | { refused: '9400' | '9802' }> {
  const now = deps.clock()
  const signer = caller.signer && fingerprint(caller.signer)
  const admission = admitRequest(caller.type, caller.control, caller.dialog, { signer, now })
  if (admission.kind === 'refused') {
    if (caller.dialog) await deps.storage.deliveries.closeDialog(caller.dialog.conversationId)
    return { refused: admission.code }
  }
  if (admission.kind === 'continues' && caller.dialog) return continueDialog(deps, caller, caller.dialog)
  return startDialog(deps, caller, admission)
}

async function startDialog(deps: DialogsDeps, caller: Caller, admission: Admission): Promise<Place> {
  const conversationId = newConversationId(deps)
  const response = caller.control.challenge
  if (admission.kind === 'implicit') {
    // A challenge here would come back as a stale Response in the client's next implicit request.
    return { dialog: null, control: { response, challenge: null, conversationId, sequenceNumber: 0 } }
  }
  const challenge = newChallenge(deps)
  const dialog: OpenDialog = {
    conversationId,
    cipherCertificate: caller.cipherCertificate,
    signer: caller.signer && fingerprint(caller.signer),
    encrypted: caller.encrypted,
    lastSequence: -1,
    expectedResponse: challenge,
    pendingMessageId: null,
    expiresAt: new Date(deps.clock().getTime() + deps.idleMs),
  }
  await deps.storage.deliveries.openDialog(dialog)
  return { dialog, control: { response, challenge, conversationId, sequenceNumber: null } }
}

async function continueDialog(
  deps: DialogsDeps,
  caller: Caller,
  seen: OpenDialog,
): Promise<Place | { refused: '9400' }> {
  const now = deps.clock()
  const challenge = newChallenge(deps)
  const ends = caller.type === 'ExitDialog'
  const next: OpenDialog = {
    ...seen,
    lastSequence: seen.lastSequence + 1,
    expectedResponse: challenge,
    pendingMessageId: null,
    expiresAt: new Date(now.getTime() + deps.idleMs),
  }
  const entered = await deps.storage.transact(async ({ deliveries }) => {
    if (!(await deliveries.advanceDialog(seen, next))) return false
    if (seen.pendingMessageId !== null) await deliveries.markReceived(seen.pendingMessageId, now)
    if (ends) await deliveries.closeDialog(seen.conversationId)
    return true
  })
  if (!entered) return { refused: '9400' }
  const control = {
    response: caller.control.challenge,
    challenge: ends ? null : challenge,
    conversationId: seen.conversationId,
    sequenceNumber: next.lastSequence,
  }
  return { dialog: next, control }
}

/** Remembers that the answer about to leave carries this delivery. @returns false = the dialog went on meanwhile */
export async function awaitReceipt(deps: DialogsDeps, dialog: OpenDialog, messageId: string): Promise<boolean> {
  return deps.storage.deliveries.advanceDialog(dialog, { ...dialog, pendingMessageId: messageId })
}

/** 80 unpredictable bits are the least; digits only, as the schema wants. */
function newConversationId(deps: DialogsDeps): string {
  return BigInt(`0x${deps.random(12).toString('hex')}`).toString()
}

function newChallenge(deps: DialogsDeps): string {
  return deps.random(15).toString('base64')
}
