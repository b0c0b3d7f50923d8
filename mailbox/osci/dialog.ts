/**
 * The dialog rules of OSCI 1.2 as pure functions: who challenges whom, which number comes next.
 *
 * Client side: response = challenge of the last answer, sequence 0, 1, 2 … after InitDialog. Supplier side: the same
 * seen from the other end. Nothing waits, nothing is stored here.
 */
import type { ControlBlock, RequestType } from './messages.ts'

/** An explicit dialog as its client sees it. */
export interface ClientDialog {
  /** null before ResponseToInitDialog */
  conversationId: string | null
  /** number of the next request; null for InitDialog, which has none */
  nextSequence: number | null
  /** challenge of the supplier's last answer */
  owed: string | null
}

export const NEW_DIALOG: ClientDialog = { conversationId: null, nextSequence: null, owed: null }

/** The ControlBlock of the client's next request. */
export function requestControl(dialog: ClientDialog, challenge: string): ControlBlock {
  return {
    response: dialog.owed,
    challenge,
    conversationId: dialog.conversationId,
    sequenceNumber: dialog.nextSequence,
  }
}

/** What the client makes of an answer: the dialog goes on, or the answer is somebody else's. */
export type AnswerVerdict = { kind: 'fits'; dialog: ClientDialog } | { kind: 'misfit'; what: string }

/**
 * Checks the ControlBlock of an answer against the request it answers.
 *
 * @param last the request was ExitDialog: no challenge follows
 */
export function judgeAnswer(
  dialog: ClientDialog,
  sent: ControlBlock,
  got: ControlBlock,
  last: 'more-follows' | 'ends',
): AnswerVerdict {
  if (got.response === null || got.response !== sent.challenge) return misfit('the response is not our challenge')
  if (got.conversationId === null) return misfit('no ConversationId')
  if (dialog.conversationId !== null && got.conversationId !== dialog.conversationId) {
    return misfit('another ConversationId')
  }
  if (got.sequenceNumber !== null && got.sequenceNumber !== sent.sequenceNumber) return misfit('another SequenceNumber')
  if (last === 'more-follows' && got.challenge === null) return misfit('no challenge')
  const nextSequence = sent.sequenceNumber === null ? 0 : sent.sequenceNumber + 1
  return { kind: 'fits', dialog: { conversationId: got.conversationId, nextSequence, owed: got.challenge } }
}

function misfit(what: string): AnswerVerdict {
  return { kind: 'misfit', what }
}

/** How a request stands to dialogs at the supplier. */
export type Admission =
  /** InitDialog: opens one */
  | { kind: 'opens' }
  /** without dialog; only GetMessageId and StoreDelivery may */
  | { kind: 'implicit' }
  /** belongs to this open dialog and is the expected next request */
  | { kind: 'continues'; conversationId: string }
  /** OSCI code of the refusal: 9400 or 9802 */
  | { kind: 'refused'; code: '9400' | '9802' }

/** An open dialog as its supplier remembers it. */
export interface SupplierDialog {
  conversationId: string
  /** -1 = no request yet */
  lastSequence: number
  expectedResponse: string
  /** hex SHA-256; null = InitDialog was unsigned */
  signer: string | null
  expiresAt: Date
}

/**
 * Judges the ControlBlock of a request.
 *
 * @param dialog the open dialog of that ConversationId; null = there is none
 * @param signer hex SHA-256 of the certificate that signed the request; null = unsigned
 */
export function admitRequest(
  type: RequestType,
  control: ControlBlock,
  dialog: SupplierDialog | null,
  facts: { signer: string | null; now: Date },
): Admission {
  if (control.challenge === null) return refused('9400')
  if (type === 'InitDialog') return control.conversationId === null ? { kind: 'opens' } : refused('9400')
  if (control.conversationId === null) return admitImplicit(type, control)
  if (!dialog || dialog.expiresAt <= facts.now) return refused('9400')
  if (control.response !== dialog.expectedResponse) return refused('9400')
  if (control.sequenceNumber !== dialog.lastSequence + 1) return refused('9400')
  if (dialog.signer !== facts.signer) return refused('9400')
  return { kind: 'continues', conversationId: dialog.conversationId }
}

/** Peers leave a stale Response in requests without dialog; it is ignored. */
function admitImplicit(type: RequestType, control: ControlBlock): Admission {
  if (type !== 'GetMessageId' && type !== 'StoreDelivery') return refused('9802')
  return control.sequenceNumber === null || control.sequenceNumber === 0 ? { kind: 'implicit' } : refused('9400')
}

function refused(code: '9400' | '9802'): Admission {
  return { kind: 'refused', code }
}
