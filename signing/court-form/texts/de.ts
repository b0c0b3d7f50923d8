/** Every sentence of the court-form check in German. One idea per sentence; says what can be done. */
import type { CourtRuleId } from '../../../policies/index.ts'
import type { Explained } from '../../report/texts/de.ts'
import type { DocumentForm, CourtVerdict } from '../report.ts'

const SIGN_EACH = 'Lassen Sie jedes Dokument einzeln qualifiziert signieren, oder senden Sie über das beBPo mit VHN.'
const PRINT_AGAIN = 'Erzeugen Sie die PDF-Datei neu, am besten als PDF/A-2, und signieren Sie sie danach.'
const RENAME = 'Benennen Sie die Datei um, vor dem Signieren und mit ihrer Signaturdatei.'
const SEPARATELY = 'Legen Sie die Dateien einzeln bei.'

export const de = {
  title: 'Formprüfung für Gerichte',
  verdict: {
    kept: { title: 'Form gewahrt', sentence: 'Nichts spricht gegen die Einreichung. Bitte beachten Sie die Hinweise.' },
    undecided: {
      title: 'Nicht abschließend geprüft',
      sentence:
        'Mindestens eine Frage lässt sich hier nicht entscheiden. Reichen Sie nicht ein, bevor sie geklärt ist.',
    },
    unfit: {
      title: 'So nicht einreichen',
      sentence:
        'Dateien entsprechen nicht den Vorgaben. Ein Mangel der Form nach § 130a Abs. 3, 4 ZPO ist nicht gefunden.',
    },
    'not-kept': {
      title: 'Form nicht gewahrt',
      sentence:
        'Mindestens ein Dokument wahrt die Form des § 130a Abs. 3, 4 ZPO nicht. Eine Frist wäre so womöglich nicht gewahrt.',
    },
  } satisfies Record<CourtVerdict, { title: string; sentence: string }>,
  form: {
    qualified: 'eigene gültige qualifizierte Signatur',
    undecided: 'eigene Signatur, nicht abschließend geprüft',
    simple: 'einfache Signatur auf sicherem Übermittlungsweg',
    missing: 'Form nicht gewahrt',
    'not-asked': '',
  } satisfies Record<DocumentForm, string>,
  rules: {
    'no-document': {
      reason: 'Kein Dokument ist dabei, das die Form wahren könnte.',
      advice: 'Legen Sie den Schriftsatz als PDF bei. Anlagen allein reichen nicht.',
    },
    'signature-missing': {
      reason:
        'Das Dokument trägt keine eigene gültige qualifizierte Signatur, und der sichere Übermittlungsweg mit VHN fehlt.',
      advice: SIGN_EACH,
    },
    'simple-signature': {
      reason: 'Ohne qualifizierte Signatur gilt die einfache: der getippte Name der verantwortenden Person am Ende.',
      advice: 'Sehen Sie nach, ob der Name am Ende des Textes steht, und senden Sie nur mit gültigem VHN.',
    },
    'container-signature': {
      reason:
        'Eine Signatur gilt für einen Container, eine Liste oder mehrere Dokumente gemeinsam (Containersignatur).',
      advice: SIGN_EACH,
    },
    'seal-only': {
      reason: 'Ein Siegel ersetzt bei Gericht nicht die Signatur der verantwortenden Person.',
      advice: SIGN_EACH,
    },
    'signature-not-qualified': {
      reason: 'Eine Signatur ist nicht qualifiziert.',
      advice: 'Signieren Sie mit einem qualifizierten Zertifikat einer Person, oder senden Sie über das beBPo mit VHN.',
    },
    'signature-invalid': {
      reason: 'Eine Signatur ist ungültig, oder sie gehört zu einer anderen Fassung der Datei.',
      advice: 'Signieren Sie die Datei neu, und ändern Sie danach nichts mehr an ihr.',
    },
    'signature-enveloping': {
      reason: 'Das Dokument steckt in der Signatur oder in einem Container statt daneben.',
      advice: 'Signieren Sie im PDF (PAdES) oder daneben (CAdES, Datei mit der Endung .p7s).',
    },
    'signature-undecided': {
      reason: 'Ob die Signatur gültig und qualifiziert ist, lässt sich nicht abschließend beurteilen.',
      advice: 'Prüfen Sie noch einmal mit Verbindung zum Aussteller und mit aktuellen Vertrauenslisten.',
    },
    'signature-form': {
      reason: 'Die Signatur hat eine Form (XAdES), die Gerichte für Dokumente nicht ausdrücklich nennen.',
      advice: 'Signieren Sie im PDF (PAdES) oder daneben (CAdES, Datei mit der Endung .p7s).',
    },
    'further-signature': {
      reason: 'Neben der Signatur, auf die es ankommt, steht eine weitere, die sie nicht ersetzen könnte.',
      advice: 'Das Gericht sieht sie in seinem Prüfvermerk. Entscheiden Sie, ob sie bleiben soll.',
    },
    'signature-orphaned': {
      reason: 'Zu dieser Signaturdatei gibt es kein Dokument mit passendem Namen.',
      advice: 'Zu Klage.pdf gehört Klage.pdf.p7s oder Klage.p7s. Legen Sie beide bei, oder lassen Sie beide weg.',
    },
    'signature-unreadable': {
      reason: 'Die Datei heißt wie eine Signatur und ist keine, oder sie ist beschädigt.',
      advice: 'Lassen Sie das Dokument neu signieren.',
    },
    'file-count': {
      reason: 'Die Nachricht hat zu viele Dateien.',
      advice: 'Teilen Sie die Einreichung, oder reichen Sie nach § 3 ERVV auf einem Datenträger ein.',
    },
    'file-volume': {
      reason: 'Die Dateien sind zusammen zu groß.',
      advice: 'Teilen Sie die Einreichung, oder reichen Sie nach § 3 ERVV auf einem Datenträger ein.',
    },
    'limits-near': {
      reason: 'Mit Strukturdatensatz und VHN kann die Nachricht die Grenzen überschreiten.',
      advice: 'Lassen Sie Platz für drei weitere Dateien und 2 MB.',
    },
    'file-empty': { reason: 'Die Datei ist leer.', advice: 'Legen Sie die richtige Datei bei.' },
    'file-type': {
      reason: 'Die Datei ist kein PDF.',
      advice:
        'Wandeln Sie ein Schriftstück in PDF um. Eine Anlage in ihrem eigenen Format nennen Sie bei der Prüfung als solche.',
    },
    'exhibit-type': {
      reason: 'Die Anlage ist kein PDF.',
      advice: 'Prüfen Sie, ob sie sich ohne Verlust in PDF umwandeln lässt.',
    },
    'image-beside-pdf': {
      reason: 'Ein TIFF steht neben dem PDF.',
      advice: 'Das ist nur erlaubt, wenn das PDF das Bild nicht verlustfrei wiedergeben kann.',
    },
    archive: { reason: 'Die Datei ist ein Archiv oder Container.', advice: SEPARATELY },
    executable: { reason: 'Die Datei ist ausführbar oder enthält Makros.', advice: 'Lassen Sie die Datei weg.' },
    'second-kind': {
      reason: 'Die Datei kann auch als eine andere Art von Datei geöffnet werden und zeigt dann etwas anderes.',
      advice: PRINT_AGAIN,
    },
    'pdf-version': {
      reason: 'Die PDF-Version gehört nicht zu den bekannt gemachten, oder sie fehlt.',
      advice: PRINT_AGAIN,
    },
    'pdf-password': {
      reason: 'Die Datei öffnet sich nur mit einem Passwort. Ihre Signaturen wurden nicht geprüft.',
      advice: 'Speichern Sie sie ohne Passwort, und signieren Sie sie danach.',
    },
    'pdf-encrypted': {
      reason: 'Die Datei ist verschlüsselt, auch wenn sie sich ohne Passwort öffnet.',
      advice: 'Speichern Sie sie ohne Verschlüsselung, und signieren Sie sie danach.',
    },
    'pdf-restricted': {
      reason: 'Drucken, Kopieren oder Bearbeiten der Datei ist eingeschränkt.',
      advice: 'Speichern Sie sie ohne Einschränkungen, und signieren Sie sie danach.',
    },
    'pdf-damaged': {
      reason: 'Die Datei ist beschädigt oder kein richtiges PDF. Das Gericht kann sie vielleicht nicht öffnen.',
      advice: PRINT_AGAIN,
    },
    'pdf-not-searched': {
      reason: 'Teile der Datei ließen sich nicht lesen. Ob darin aktive Inhalte stehen, ist offen.',
      advice: PRINT_AGAIN,
    },
    'pdf-script': { reason: 'Die Datei enthält JavaScript.', advice: PRINT_AGAIN },
    'pdf-launch': { reason: 'Die Datei startet Programme oder öffnet andere Dateien.', advice: PRINT_AGAIN },
    'pdf-embedded-file': {
      reason: 'In der Datei stecken weitere Dateien.',
      advice: `${SEPARATELY} Speichern Sie das PDF ohne Anhänge.`,
    },
    'pdf-executable': { reason: 'In der Datei steckt etwas Ausführbares.', advice: PRINT_AGAIN },
    'pdf-xfa': {
      reason: 'Die Datei ist ein XFA-Formular.',
      advice: 'Drucken Sie das ausgefüllte Formular in eine neue PDF-Datei, und signieren Sie diese.',
    },
    'pdf-multimedia': {
      reason: 'Die Datei enthält Ton, Video oder 3D, die ein besonderes Programm brauchen.',
      advice: SEPARATELY,
    },
    'pdf-external': {
      reason: 'Die Datei greift auf andere Dateien oder Adressen zu.',
      advice: 'Prüfen Sie, ob sie ohne diese vollständig ist. Einfache Verweise (Links) sind erlaubt.',
    },
    'pdf-fonts': {
      reason: 'Schriften sind nicht eingebettet. Das Gericht sieht den Text vielleicht anders.',
      advice: 'Betten Sie beim Erzeugen alle Schriften ein, etwa als PDF/A-2.',
    },
    'name-length': { reason: 'Der Dateiname hat mehr als 90 Zeichen, die Endung mitgezählt.', advice: RENAME },
    'name-characters': {
      reason: 'Der Dateiname hat Zeichen außer Buchstaben (auch ä, ö, ü, ß), Ziffern, Unterstrich und Bindestrich.',
      advice: `${RENAME} Auch Leerzeichen und zerlegte Umlaute sind nicht erlaubt.`,
    },
    'name-dots': {
      reason: 'Ein Punkt darf nur vor der Endung stehen, ein zweiter nur vor der einer Signatur (.pdf.p7s).',
      advice: RENAME,
    },
    'name-reserved': {
      reason: 'Diesen Namen trägt eine Datei, die das sendende Programm selbst beilegt.',
      advice: RENAME,
    },
    'name-twice': {
      reason: 'Eine andere Datei heißt ebenso. Groß- und Kleinschreibung zählt nicht.',
      advice: RENAME,
    },
  } satisfies Record<CourtRuleId, Explained>,
  label: {
    files: 'Dateien',
    checkedAt: 'Geprüft am',
    way: 'Übermittlungsweg',
    vhn: 'beBPo mit VHN, nach Ihrer Angabe; das wird hier nicht geprüft',
    none: 'kein sicherer Übermittlungsweg mit VHN angegeben',
    exhibit: 'Anlage',
    over: 'Signatur zu',
    form: 'Form',
    message: 'Nachricht',
  },
  disclaimer:
    'Maßstab: § 130a ZPO (ebenso § 55a VwGO, § 65a SGG, § 46c ArbGG, § 52a FGO), ERVV und ERVB 2025. ' +
    'Die Vorgaben nach § 2 Abs. 2 ERVV sind Soll-Vorschriften; ein Verstoß schadet, wenn das Gericht mit der Datei nicht arbeiten kann. ' +
    'Der Strukturdatensatz (XJustiz) und der Inhalt der Schriftsätze wurden nicht geprüft.',
}

export type CourtTexts = typeof de
