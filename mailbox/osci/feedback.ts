/**
 * The code table of OSCI 1.2: what a feedback or fault code means and what its receiver may do about it.
 */
import type { FeedbackEntry } from './messages.ts'

/**
 * - `done`: executed
 * - `warning`: executed, something to know
 * - `ask`: whether it was executed is not certain; ask for the process card
 * - `retry`: not executed, may be sent again later
 * - `final`: not executed, and sending the same again will not help
 * - `nothing`: no object fits the criteria
 */
export type FeedbackClass = 'done' | 'warning' | 'ask' | 'retry' | 'final' | 'nothing'

interface Meaning {
  class: FeedbackClass
  text: string
}

const TABLE: Readonly<Record<string, Meaning>> = {
  '0800': { class: 'done', text: 'Auftrag ausgeführt, Dialog beendet' },
  '0801': { class: 'done', text: 'Auftrag ausgeführt, Dialog weiterhin geöffnet' },
  '3500': { class: 'warning', text: 'Chiffrierzertifikat des Benutzers außerhalb seiner Gültigkeitsdauer' },
  '3501': { class: 'warning', text: 'Prüfung des Chiffrierzertifikats des Benutzers unvollständig' },
  '3700': { class: 'warning', text: 'Signaturzertifikat des Benutzers außerhalb seiner Gültigkeitsdauer' },
  '3701': { class: 'warning', text: 'Signaturzertifikat eines Autors außerhalb seiner Gültigkeitsdauer' },
  '3702': { class: 'warning', text: 'Signatur über das Signaturzertifikat eines Autors ungültig' },
  '3703': { class: 'warning', text: 'Signaturzertifikat eines Autors widerrufen' },
  '3704': { class: 'warning', text: 'Chiffrierzertifikat eines Autors außerhalb seiner Gültigkeitsdauer' },
  '3705': { class: 'warning', text: 'Chiffrierzertifikat des Empfängers außerhalb seiner Gültigkeitsdauer' },
  '3706': { class: 'warning', text: 'Chiffrierzertifikat eines Lesers außerhalb seiner Gültigkeitsdauer' },
  '3707': { class: 'warning', text: 'Zertifikatsprüfung unvollständig' },
  '3708': { class: 'warning', text: 'Signaturzertifikat des Empfängers außerhalb seiner Gültigkeitsdauer' },
  '3800': { class: 'warning', text: 'Weitere Zustellungsaufträge liegen vor' },
  '3801': { class: 'warning', text: 'Weitere Laufzettel erfüllen die Kriterien' },
  '3802': { class: 'warning', text: 'Signatur des Empfängers fehlt' },
  '3803': { class: 'warning', text: 'Empfänger hat unverschlüsselt geantwortet' },
  '3950': { class: 'warning', text: 'Rückmeldung zur Gesamtnachricht liegt vor' },
  '3951': { class: 'warning', text: 'Wartezeit für die Gesamtnachricht überschritten' },
  '3952': { class: 'warning', text: 'Gesamtnachricht wird noch verarbeitet' },
  '9000': { class: 'ask', text: 'Interner Fehler beim Supplier' },
  '9100': { class: 'final', text: 'Nachricht ist keine gültige OSCI-Nachricht' },
  '9200': { class: 'final', text: 'Kein privater Schlüssel zum verwendeten Chiffrierzertifikat' },
  '9201': { class: 'final', text: 'Verwendetes Chiffrierzertifikat widerrufen' },
  '9202': { class: 'final', text: 'Nachricht nicht entschlüsselbar' },
  '9300': { class: 'final', text: 'Auftragsart unbekannt oder hier nicht zulässig' },
  '9400': { class: 'retry', text: 'ConversationId, SequenceNumber oder Response falsch' },
  '9500': { class: 'final', text: 'Chiffrierzertifikat des Benutzers fehlt' },
  '9501': { class: 'final', text: 'Chiffrierzertifikat des Benutzers nicht vertrauenswürdig' },
  '9502': { class: 'final', text: 'Chiffrierzertifikat des Benutzers widerrufen' },
  '9503': { class: 'retry', text: 'Interner Fehler bei der Prüfung des Chiffrierzertifikats' },
  '9600': { class: 'final', text: 'Auftrag nicht signiert' },
  '9601': { class: 'final', text: 'Signatur des Auftrags ungültig' },
  '9602': { class: 'final', text: 'Auftrag nicht vollständig signiert' },
  '9603': { class: 'retry', text: 'Interner Fehler bei der Signaturprüfung' },
  '9700': { class: 'final', text: 'Signaturzertifikat des Benutzers nicht vertrauenswürdig' },
  '9701': { class: 'final', text: 'Signaturzertifikat des Benutzers widerrufen' },
  '9704': { class: 'final', text: 'Signatur über das Chiffrierzertifikat eines Autors ungültig' },
  '9705': { class: 'final', text: 'Chiffrierzertifikat eines Autors widerrufen' },
  '9706': { class: 'final', text: 'Chiffrierzertifikat des Empfängers nicht vertrauenswürdig' },
  '9707': { class: 'final', text: 'Chiffrierzertifikat des Empfängers widerrufen' },
  '9708': { class: 'final', text: 'Signatur über das Chiffrierzertifikat eines Lesers ungültig' },
  '9709': { class: 'final', text: 'Chiffrierzertifikat eines Lesers widerrufen' },
  '9710': { class: 'retry', text: 'Interner Fehler bei der Zertifikatsprüfung' },
  '9711': { class: 'final', text: 'Signatur über das Signaturzertifikat des Empfängers ungültig' },
  '9712': { class: 'final', text: 'Signaturzertifikat des Empfängers widerrufen' },
  '9800': { class: 'final', text: 'Zustellungsauftrag ohne MessageId' },
  '9801': { class: 'ask', text: 'MessageId unzulässig' },
  '9802': { class: 'final', text: 'Auftrag nur in explizitem Dialog zulässig' },
  '9803': { class: 'nothing', text: 'Kein Zustellungsauftrag erfüllt die Kriterien' },
  '9804': { class: 'nothing', text: 'Kein Laufzettel erfüllt die Kriterien' },
  '9805': { class: 'final', text: 'Empfänger hat die Zustellung nicht angenommen' },
  '9806': { class: 'warning', text: 'Antwort des Empfängers enthält keine Zustellung' },
  '9807': { class: 'ask', text: 'Signatur der Empfängerantwort ungültig' },
  '9808': { class: 'ask', text: 'Interner Fehler beim Empfänger' },
  '9809': { class: 'retry', text: 'Fehler beim Intermediär, Zustellung hat den Empfänger nicht erreicht' },
  '9810': { class: 'ask', text: 'Fehler beim Intermediär, Zustellung hat den Empfänger erreicht' },
  '9811': { class: 'ask', text: 'Interner Fehler des Suppliers bei der Ausführung' },
  '9900': { class: 'warning', text: 'Teilnachricht bereits empfangen' },
  '9901': { class: 'final', text: 'Nummer der Teilnachricht falsch' },
  '9902': { class: 'final', text: 'Maximale Größe der Teilnachricht überschritten' },
  '9903': { class: 'final', text: 'Minimale Größe der Teilnachricht unterschritten' },
  '9904': { class: 'final', text: 'Maximale Nachrichtengröße überschritten' },
  '9905': { class: 'final', text: 'Angaben zur Teilnachricht falsch' },
  '9950': { class: 'ask', text: 'Rückmeldung zur Gesamtnachricht enthält einen Fehler' },
}

/** What a code lets its receiver do. An unknown one is judged by its first digit, an unknown error as `ask`. */
export function feedbackClass(code: string): FeedbackClass {
  const known = Object.hasOwn(TABLE, code) ? TABLE[code] : undefined
  if (known) return known.class
  if (code.startsWith('0')) return 'done'
  return code.startsWith('3') ? 'warning' : 'ask'
}

/** The German text of a code. */
export function feedbackText(code: string): string {
  const known = Object.hasOwn(TABLE, code) ? TABLE[code] : undefined
  return known?.text ?? 'Unbekannter Rückmeldecode'
}

/** The entry that decides: the first error, else the first entry. */
export function decisiveEntry(entries: readonly FeedbackEntry[]): FeedbackEntry | null {
  return entries.find((entry) => entry.code.startsWith('9')) ?? entries[0] ?? null
}
