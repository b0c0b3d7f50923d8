/**
 * The only map from error codes to HTTP: status and title of every fault (RFC 9457).
 *
 * `ErrorCode` is the union of the modules' unions, so a code without a row does not compile. What is not one of our
 * errors is `gateway/internal`: status 500, no detail, the cause in the log under the request id.
 */
import { StorageError } from '../../storage/index.ts'
import type { StorageErrorCode } from '../../storage/index.ts'
import { SigningError } from '../../signing/index.ts'
import type { SigningErrorCode } from '../../signing/index.ts'
import { MailboxError } from '../../mailbox/index.ts'
import type { MailboxErrorCode } from '../../mailbox/index.ts'
import { PolicyError } from '../../policies/index.ts'
import type { PolicyErrorCode } from '../../policies/index.ts'
import { GatewayError } from '../errors.ts'
import type { GatewayErrorCode } from '../errors.ts'

export type ErrorCode = StorageErrorCode | SigningErrorCode | MailboxErrorCode | PolicyErrorCode | GatewayErrorCode

/** Status, title in German, title in English. */
type Row = readonly [status: number, de: string, en: string]

const GATEWAY = {
  'gateway/bad-input': [400, 'Die Anfrage ist nicht verständlich', 'The request cannot be understood'],
  'gateway/too-large': [413, 'Die Anfrage ist zu groß', 'The request is too large'],
  'gateway/needs-resumable-upload': [
    413,
    'Für diese Datei ist das Formular zu klein',
    'This file is too large for the form',
  ],
  'gateway/wrong-media-type': [415, 'Dieses Format wird hier nicht gelesen', 'This format is not read here'],
  'gateway/not-found': [404, 'Nicht gefunden', 'Not found'],
  'gateway/method-not-allowed': [405, 'Das ist hier nicht möglich', 'Not possible here'],
  'gateway/sign-in-required': [401, 'Bitte melden Sie sich an', 'Please sign in'],
  'gateway/wrong-credentials': [
    401,
    'E-Mail-Adresse und Passwort passen nicht zusammen',
    'E-mail address and password do not match',
  ],
  'gateway/wrong-code': [403, 'Der Code ist nicht gültig', 'The code is not valid'],
  'gateway/no-second-factor': [403, 'Ein zweiter Nachweis ist nicht eingerichtet', 'No second factor has been set up'],
  'gateway/denied': [403, 'Das ist Ihnen hier nicht erlaubt', 'You are not allowed to do this'],
  'gateway/step-up-required': [
    403,
    'Bitte weisen Sie sich ein zweites Mal aus',
    'Please confirm your identity once more',
  ],
  'gateway/locked-out': [429, 'Zu viele Versuche', 'Too many attempts'],
  'gateway/too-many-requests': [429, 'Zu viele Anfragen', 'Too many requests'],
  'gateway/foreign-origin': [403, 'Die Anfrage kommt von einer fremden Seite', 'The request comes from another site'],
  'gateway/csrf-refused': [403, 'Das Formular ist abgelaufen', 'The form has expired'],
  'gateway/range-not-satisfiable': [416, 'Dieser Bereich liegt außerhalb der Datei', 'The range lies outside the file'],
  'gateway/link-gone': [410, 'Dieser Link gilt nicht (mehr)', 'This link is not valid (any more)'],
  'gateway/tus-version-unsupported': [
    412,
    'Diese tus-Version wird nicht verstanden',
    'This version of tus is not understood',
  ],
  'gateway/upload-displaced': [
    400,
    'Eine neuere Anfrage hat die Übertragung übernommen',
    'A newer request took this upload over',
  ],
  'gateway/upload-is-final': [
    403,
    'Diese Übertragung nimmt keine eigenen Bytes an',
    'This upload takes no bytes of its own',
  ],
  'gateway/file-not-released': [409, 'Die Datei ist noch nicht freigegeben', 'The file has not been released yet'],
  'gateway/nothing-to-seal': [409, 'Hier gibt es nichts zu siegeln', 'There is nothing to seal here'],
  'gateway/weak-password': [422, 'Das Passwort ist nicht sicher genug', 'The password is not strong enough'],
  'gateway/busy': [503, 'Gerade ist zu viel los', 'Too busy right now'],
  'gateway/not-configured': [501, 'Das ist hier nicht eingerichtet', 'Not set up here'],
  'gateway/internal': [500, 'Das hat nicht geklappt', 'That did not work'],
} as const satisfies Record<GatewayErrorCode, Row>

const UNAVAILABLE = [503, 'Der Speicher ist gerade nicht erreichbar', 'Storage cannot be reached right now'] as const
const OPERATOR = [500, 'Das kann nur der Betrieb beheben', 'Only the operators can repair this'] as const
const UNREADABLE = [500, 'Die Datei ist nicht mehr lesbar', 'The file can no longer be read'] as const

const STORAGE = {
  'storage/not-found': [404, 'Nicht gefunden', 'Not found'],
  'storage/bad-id': [404, 'Nicht gefunden', 'Not found'],
  'storage/bad-value': [400, 'Ein Wert ist nicht zulässig', 'A value is not acceptable'],
  'storage/already-exists': [409, 'Das gibt es schon', 'This exists already'],
  'storage/in-use': [409, 'Das wird noch gebraucht', 'This is still in use'],
  'storage/wrong-state': [409, 'Das geht in diesem Zustand nicht', 'Not possible in this state'],
  'storage/wrong-key': OPERATOR,
  'storage/key-absent': OPERATOR,
  'storage/key-damaged': OPERATOR,
  'storage/key-destroyed': [410, 'Die Datei wurde gelöscht', 'The file has been erased'],
  'storage/object-damaged': UNREADABLE,
  'storage/object-absent': UNREADABLE,
  'storage/objects-unavailable': UNAVAILABLE,
  'storage/offset-conflict': [409, 'Der Stand der Übertragung ist ein anderer', 'The upload is at another offset'],
  'storage/size-exceeded': [
    413,
    'Es sind mehr Bytes als angekündigt oder erlaubt',
    'More bytes than declared or allowed',
  ],
  'storage/size-mismatch': [409, 'Die Länge wurde schon anders angegeben', 'Another length has been declared'],
  'storage/upload-locked': [423, 'An dieser Übertragung arbeitet ein anderer', 'Somebody else is writing this upload'],
  'storage/upload-gone': [410, 'Diese Übertragung gibt es nicht mehr', 'This upload is gone'],
  'storage/upload-finished': [409, 'Diese Übertragung ist abgeschlossen', 'This upload is finished'],
  'storage/upload-interrupted': [400, 'Die Übertragung brach ab', 'The upload broke off'],
  'storage/checksum-mismatch': [460, 'Die Prüfsumme stimmt nicht', 'Checksum mismatch'],
  'storage/disk-full': [507, 'Der Speicherplatz ist erschöpft', 'Storage is full'],
  'storage/quota-exceeded': [507, 'Das Kontingent ist erschöpft', 'The quota is used up'],
  'storage/room-closed': [409, 'Der Raum ist geschlossen', 'The room is closed'],
  'storage/database-unavailable': UNAVAILABLE,
  'storage/schema-newer': OPERATOR,
  'storage/audit-broken': OPERATOR,
  'storage/backup-bad-passphrase': OPERATOR,
  'storage/backup-damaged': OPERATOR,
  'storage/backup-too-few-shares': OPERATOR,
} as const satisfies Record<StorageErrorCode, Row>

const NOT_SEALABLE = [422, 'Dieses PDF kann nicht gesiegelt werden', 'This PDF cannot be sealed'] as const
const UNREADABLE_XML = [400, 'Das XML ist nicht lesbar', 'The XML cannot be read'] as const

const SIGNING = {
  'signing/not-a-pdf': [422, 'Die Datei ist kein PDF', 'The file is not a PDF'],
  'signing/pdf-damaged': NOT_SEALABLE,
  'signing/pdf-encrypted': [422, 'Das PDF ist verschlüsselt', 'The PDF is encrypted'],
  'signing/pdf-locked': [422, 'Das PDF lässt keine weitere Signatur zu', 'The PDF allows no further signature'],
  'signing/field-unusable': [
    422,
    'Das gewählte Unterschriftsfeld passt nicht zu diesem Siegel',
    'The signature field chosen does not fit this seal',
  ],
  'signing/pdf-too-complex': NOT_SEALABLE,
  'signing/pdf-unsupported': NOT_SEALABLE,
  'signing/too-complex': [
    422,
    'Diese Datei ist zu aufwendig gebaut, um ihre Signaturen zu prüfen',
    'This file is too complex for its signatures to be validated',
  ],
  'signing/validation-lost': [503, 'Die Prüfung ist abgebrochen', 'The validation broke off'],
  'signing/source-changed': [409, 'Die Datei hat sich währenddessen geändert', 'The file changed meanwhile'],
  'signing/bad-text': [400, 'Ein Text des Siegels ist nicht zulässig', 'A text of the seal is not acceptable'],
  'signing/bad-mark': [
    422,
    'Der sichtbare Siegelvermerk passt nicht auf dieses PDF',
    'The visible mark of the seal does not fit this PDF',
  ],
  'signing/algorithm-refused': [
    422,
    'Ein Verfahren dieser Signatur ist nicht zulässig',
    'An algorithm of this signature is refused',
  ],
  'signing/xml-malformed': UNREADABLE_XML,
  'signing/xml-forbidden': UNREADABLE_XML,
  'signing/xml-locked': [
    422,
    'Eine weitere Signatur bräche die vorhandene',
    'A further signature would break the one that is there',
  ],
  'signing/xml-too-large': [413, 'Die Nachricht ist zu groß', 'The message is too large'],
  'signing/decryption-failed': [400, 'Die Nachricht lässt sich nicht entschlüsseln', 'The message cannot be decrypted'],
  'signing/container-damaged': [422, 'Der Container ist beschädigt', 'The container is damaged'],
  'signing/bad-file-name': [400, 'Ein Dateiname ist nicht zulässig', 'A file name is not acceptable'],
  'signing/timestamp-unavailable': [503, 'Zurzeit gibt es keinen Zeitstempel', 'No time-stamp to be had at present'],
  'signing/key-unavailable': [503, 'Der Siegelschlüssel ist zurzeit nicht erreichbar', 'The seal key is out of reach'],
  'signing/pin-refused': OPERATOR,
  'signing/key-not-qualified': OPERATOR,
  'signing/no-room': OPERATOR,
  'signing/fetch-failed': OPERATOR,
  'signing/evidence-missing': [
    503,
    'Sperrinformationen fehlen zurzeit',
    'Revocation information is missing at present',
  ],
  'signing/signature-broken': [
    422,
    'Eine vorhandene Signatur passt nicht zum Dokument',
    'An existing signature does not fit the document',
  ],
  'signing/bad-passphrase': OPERATOR,
  'signing/key-file-damaged': OPERATOR,
  'signing/trust-store-damaged': OPERATOR,
  'signing/key-unusable': OPERATOR,
  'signing/asn1-damaged': OPERATOR,
  'signing/signature-failed': OPERATOR,
  'signing/unwrap-failed': OPERATOR,
} as const satisfies Record<SigningErrorCode, Row>

const BAD_MESSAGE = [400, 'Die Nachricht ist nicht lesbar', 'The message cannot be read'] as const
const PEER = [502, 'Die Gegenstelle antwortet nicht wie vereinbart', 'The peer does not answer as agreed'] as const

const MAILBOX = {
  'mailbox/malformed': BAD_MESSAGE,
  'mailbox/too-large': [413, 'Die Nachricht ist zu groß', 'The message is too large'],
  'mailbox/wrong-recipient': BAD_MESSAGE,
  'mailbox/undecryptable': BAD_MESSAGE,
  'mailbox/type-refused': BAD_MESSAGE,
  'mailbox/control-block': BAD_MESSAGE,
  'mailbox/certificate-missing': BAD_MESSAGE,
  'mailbox/certificate-refused': BAD_MESSAGE,
  'mailbox/certificate-revoked': BAD_MESSAGE,
  'mailbox/dialog-needed': BAD_MESSAGE,
  'mailbox/peer-misbehaved': PEER,
  'mailbox/unreachable': PEER,
  'mailbox/no-answer': [504, 'Von der Gegenstelle kam keine Antwort', 'The peer did not answer'],
  'mailbox/unknown-mailbox': [404, 'Dieses Postfach gibt es hier nicht', 'No such mailbox here'],
  'mailbox/unknown-addressee': [422, 'Diese Empfangsadresse ist unbekannt', 'This addressee is unknown'],
  'mailbox/bad-attachment-name': [422, 'Ein Dateiname ist so nicht zulässig', 'A file name is not acceptable'],
  'mailbox/nothing-to-send': [422, 'Zum Senden fehlt eine freigegebene Datei', 'There is no released file to send'],
} as const satisfies Record<MailboxErrorCode, Row>

const POLICIES = {
  'policies/bad-levels': OPERATOR,
  'policies/ladder-broken': OPERATOR,
  'policies/laxer-than-shipped': OPERATOR,
} as const satisfies Record<PolicyErrorCode, Row>

export const PROBLEMS = { ...GATEWAY, ...STORAGE, ...SIGNING, ...MAILBOX, ...POLICIES } satisfies Record<ErrorCode, Row>

/** What a client may know of a fault; page and JSON are rendered from the same. */
export interface Problem {
  code: ErrorCode
  status: number
  title: { de: string; en: string }
  facts: GatewayError['facts']
  /** seconds for `Retry-After`; null = no such header */
  retryAfterSeconds: number | null
}

/** Turns whatever was thrown into what a client may know. Total: never throws, hides what it does not know. */
export function problemOf(error: unknown): Problem {
  const code = codeOf(error)
  const [status, de, en] = PROBLEMS[code]
  const own = error instanceof GatewayError
  return {
    code,
    status,
    title: { de, en },
    facts: own ? error.facts : {},
    retryAfterSeconds: own && error.retryAfterSeconds !== null ? error.retryAfterSeconds : status === 503 ? 5 : null,
  }
}

/** The problem document (RFC 9457 §3.1). `instance` names the request for whoever asks the operators. */
export function problemDocument(problem: Problem, requestId: string, language: 'de' | 'en'): Record<string, unknown> {
  return {
    ...problem.facts,
    type: `urn:amtsbote:problem:${problem.code}`,
    title: problem.title[language],
    status: problem.status,
    instance: `urn:uuid:${requestId}`,
  }
}

function codeOf(error: unknown): ErrorCode {
  const known =
    error instanceof GatewayError ||
    error instanceof StorageError ||
    error instanceof SigningError ||
    error instanceof MailboxError ||
    error instanceof PolicyError
  return known && Object.hasOwn(PROBLEMS, error.code) ? error.code : 'gateway/internal'
}
