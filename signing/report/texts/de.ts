/** Every sentence of the validation reports in German. Formal, one idea per sentence; says what can be done. */
import type { FindingCode } from '../../validation/finding.ts'
import type { Headline, Indication, QualificationKind, SubIndication } from '../../validation/report.ts'

/** Why it is so, and what helps. */
export interface Explained {
  reason: string
  advice: string
}

const ASK_SENDER = 'Bitten Sie die absendende Stelle um ein neu signiertes Dokument.'
const NOT_RELY = 'Verlassen Sie sich nicht auf dieses Dokument.'
const LATER = 'Prüfen Sie das Dokument später noch einmal, mit Verbindung zum Aussteller des Zertifikats.'
const NOTHING_HEALS = 'Ein früherer Zeitstempel würde helfen; nachträglich lässt sich das nicht heilen.'

export const de = {
  title: 'Prüfbericht zu elektronischen Signaturen und Siegeln',
  headline: {
    valid: {
      title: 'Gültig',
      sentence: 'Alle Signaturen und Siegel sind gültig, und nichts Signiertes wurde verändert.',
    },
    'valid-with-remarks': {
      title: 'Gültig mit Hinweisen',
      sentence: 'Alle Signaturen und Siegel sind gültig. Bitte beachten Sie die Hinweise.',
    },
    undecided: {
      title: 'Nicht abschließend geprüft',
      sentence: 'Mindestens eine Signatur oder der Zustand des Dokuments lässt sich nicht abschließend beurteilen.',
    },
    invalid: {
      title: 'Ungültig',
      sentence: 'Mindestens eine Signatur ist ungültig. Verlassen Sie sich nicht auf dieses Dokument.',
    },
    unsigned: { title: 'Nicht signiert', sentence: 'Das Dokument enthält keine Signatur und kein Siegel.' },
  } satisfies Record<Headline, { title: string; sentence: string }>,
  indication: {
    'TOTAL-PASSED': 'gültig',
    INDETERMINATE: 'nicht abschließend geprüft',
    'TOTAL-FAILED': 'ungültig',
  } satisfies Record<Indication, string>,
  subIndication: {
    FORMAT_FAILURE: {
      reason: 'Die Signatur ist nicht auswertbar, oder das Dokument wurde nach der Signatur unzulässig verändert.',
      advice: `${NOT_RELY} ${ASK_SENDER}`,
    },
    HASH_FAILURE: {
      reason: 'Der Inhalt wurde nach der Signatur verändert.',
      advice: `${NOT_RELY} ${ASK_SENDER}`,
    },
    SIG_CRYPTO_FAILURE: {
      reason: 'Der Signaturwert passt nicht zum Zertifikat.',
      advice: `${NOT_RELY} ${ASK_SENDER}`,
    },
    REVOKED: {
      reason: 'Es ist bewiesen, dass erst nach der Sperrung des Zertifikats signiert wurde.',
      advice: `${NOT_RELY} ${ASK_SENDER}`,
    },
    EXPIRED: {
      reason: 'Es ist bewiesen, dass erst nach dem Ablauf des Zertifikats signiert wurde.',
      advice: ASK_SENDER,
    },
    NOT_YET_VALID: {
      reason: 'Es ist bewiesen, dass vor dem Beginn der Gültigkeit des Zertifikats signiert wurde.',
      advice: ASK_SENDER,
    },
    SIG_CONSTRAINTS_FAILURE: {
      reason: 'Die Signatur erfüllt die Vorgaben der Prüfregel nicht.',
      advice: 'Sehen Sie in den Einzelheiten nach, welche Vorgabe fehlt. Eine andere Prüfregel kann sie zulassen.',
    },
    CHAIN_CONSTRAINTS_FAILURE: {
      reason: 'Das Zertifikat oder seine Aussteller sind für diesen Zweck nicht zugelassen.',
      advice: ASK_SENDER,
    },
    CERTIFICATE_CHAIN_GENERAL_FAILURE: {
      reason: 'Die Zertifikate lassen sich nicht abschließend prüfen. Meist fehlen Angaben zur Sperrung.',
      advice: LATER,
    },
    CRYPTO_CONSTRAINTS_FAILURE: {
      reason: 'Ein Verfahren der Signatur war schon ungeeignet, als sie entstand.',
      advice: ASK_SENDER,
    },
    POLICY_PROCESSING_ERROR: {
      reason: 'Die Prüfregel ließ sich nicht anwenden.',
      advice: 'Wenden Sie sich an den Betrieb.',
    },
    SIGNATURE_POLICY_NOT_AVAILABLE: {
      reason: 'Die Signatur beruft sich auf eine Signaturrichtlinie, die hier nicht vorliegt.',
      advice: 'Lassen Sie sich die Richtlinie von der absendenden Stelle nennen.',
    },
    TIMESTAMP_ORDER_FAILURE: { reason: 'Die Zeitstempel widersprechen einander.', advice: ASK_SENDER },
    NO_SIGNING_CERTIFICATE_FOUND: {
      reason: 'Das Zertifikat der signierenden Stelle fehlt oder passt nicht zu dem, das die Signatur nennt.',
      advice: ASK_SENDER,
    },
    NO_CERTIFICATE_CHAIN_FOUND: {
      reason: 'Der Aussteller des Zertifikats ist hier nicht als vertrauenswürdig bekannt.',
      advice: 'Klären Sie auf anderem Weg, wer signiert hat. Der Betrieb kann vertrauenswürdige Aussteller ergänzen.',
    },
    NO_CERTIFICATE_CHAIN_FOUND_NO_POE: {
      reason: 'Der Aussteller war vertrauenswürdig, aber nicht bewiesen zu der Zeit, als signiert wurde.',
      advice: NOTHING_HEALS,
    },
    REVOKED_NO_POE: {
      reason: 'Das Zertifikat ist gesperrt, und es ist nicht bewiesen, dass vorher signiert wurde.',
      advice: NOTHING_HEALS,
    },
    REVOKED_CA_NO_POE: {
      reason: 'Ein Zertifikat des Ausstellers ist gesperrt, und es ist nicht bewiesen, dass vorher signiert wurde.',
      advice: NOTHING_HEALS,
    },
    OUT_OF_BOUNDS_NOT_REVOKED: {
      reason:
        'Das Zertifikat ist abgelaufen und war nicht gesperrt; es ist nicht bewiesen, dass vor dem Ablauf signiert wurde.',
      advice: NOTHING_HEALS,
    },
    OUT_OF_BOUNDS_NO_POE: {
      reason: 'Das Zertifikat ist abgelaufen oder noch nicht gültig, und die Zeit der Signatur ist nicht bewiesen.',
      advice: NOTHING_HEALS,
    },
    REVOCATION_OUT_OF_BOUNDS_NO_POE: {
      reason: 'Die Auskunft zur Sperrung lässt sich selbst nicht mehr prüfen.',
      advice: LATER,
    },
    CRYPTO_CONSTRAINTS_FAILURE_NO_POE: {
      reason: 'Ein Verfahren der Signatur ist inzwischen ungeeignet, und die Zeit der Signatur ist nicht bewiesen.',
      advice: NOTHING_HEALS,
    },
    NO_POE: { reason: 'Es fehlt ein Beweis, dass die Signatur rechtzeitig bestand.', advice: NOTHING_HEALS },
    TRY_LATER: { reason: 'Die Auskunft zur Sperrung ist noch nicht frisch genug.', advice: LATER },
    SIGNED_DATA_NOT_FOUND: {
      reason: 'Die signierte Datei liegt nicht vor.',
      advice: 'Prüfen Sie die Signatur zusammen mit der Datei, zu der sie gehört.',
    },
  } satisfies Record<SubIndication, Explained>,
  qualification: {
    QESig: 'qualifizierte elektronische Signatur',
    QESeal: 'qualifiziertes elektronisches Siegel',
    'AdESig-QC': 'fortgeschrittene Signatur mit qualifiziertem Zertifikat',
    'AdESeal-QC': 'fortgeschrittenes Siegel mit qualifiziertem Zertifikat',
    AdESig: 'fortgeschrittene Signatur',
    AdESeal: 'fortgeschrittenes Siegel',
    undetermined: 'nicht zu bestimmen',
    none: 'keine',
  } satisfies Record<QualificationKind, string>,
  listsOverdue: (territories: string) =>
    `Die Vertrauenslisten sind nicht auf dem neuesten Stand (${territories}). Was sie zur Qualifikation sagen, kann überholt sein.`,
  bytes: (count: number) => `${count} Byte`,
  provisional: (kind: string) => `noch offen; bei gültiger Signatur: ${kind}`,
  finding: {
    'extended-after-signing':
      'Nach der Signatur wurden erlaubte Angaben ergänzt (Prüfdaten, Zeitstempel, weitere Signaturen oder Formularwerte).',
    'annotations-after-signing': 'Nach der Signatur wurden Anmerkungen hinzugefügt oder geändert.',
    'content-covered':
      'Nachträgliche Anmerkungen überdecken signierten Inhalt. Sehen Sie sich die signierte Fassung an.',
    'unclear-change': 'Nach der Signatur wurde etwas geändert, dessen Wirkung nicht feststeht.',
    'uncovered-bytes': 'Das Dokument enthält Bytes, die keine Signatur erfasst.',
    'signature-like-object': 'Das Dokument enthält etwas, das wie eine Signatur aussieht, aber keine ist.',
    'signature-removed': 'Eine Signatur, die eine frühere Fassung hatte, wurde entfernt.',
    'display-changed': 'Angezeigte Angaben der Signatur wurden später geändert. Gezeigt werden die signierten.',
    'files-not-covered': 'Der Behälter enthält Dateien, die nicht signiert sind.',
    mimetype: 'Der Behälter nennt seinen Typ nicht oder falsch.',
    'structure-damaged':
      'Das Inhaltsverzeichnis der Datei ist beschädigt. Verschiedene Programme können Verschiedenes anzeigen.',
    'container-structure': 'Der Behälter ist widersprüchlich aufgebaut.',
    'container-signature':
      'Eine Signatur gilt für mehrere Dokumente gemeinsam. Gerichte nehmen das nicht an (§ 4 Abs. 2 ERVV).',
    'element-only': 'Die Signatur erfasst nur einen Teil des XML-Dokuments.',
    'manifest-reference': 'Ein Verzeichnis in der Signatur nennt Daten, die fehlen oder anders sind.',
    'attributes-unsorted': 'Die signierten Angaben stehen nicht in der vorgeschriebenen Reihenfolge.',
    'not-der': 'Die Signatur ist nicht in der strengen Form (DER) geschrieben.',
    'trailing-bytes': 'Hinter der Signatur stehen weitere Bytes.',
    'unknown-elements': 'Die Signatur enthält Angaben, die hier nicht ausgewertet werden.',
    'not-baseline': 'Die Signatur folgt keinem ETSI-Grundprofil.',
    'weak-reference': 'Der Verweis auf das Zertifikat nutzt SHA-1. Er wird gezeigt, aber nicht bewertet.',
    'timestamp-copied': 'Ein Zeitstempel kommt mehrfach vor. Er zählt einmal.',
    encrypted: 'Das Dokument ist verschlüsselt und wurde mit dem Passwort geöffnet.',
    'revocation-aged': 'Die Auskunft zur Sperrung ist älter, als die Prüfregel es wünscht.',
    'second-kind': 'Die Datei kann auch als eine andere Art von Datei geöffnet werden und zeigt dann etwas anderes.',
    unreadable: 'Die Datei kann nicht gelesen werden. Ob sie signiert ist, ist nicht festzustellen.',
    'certificate-restricted': 'Das Zertifikat nennt Beschränkungen.',
  } satisfies Record<FindingCode, string>,
  scope: {
    whole: 'erfasst das ganze Dokument',
    revision: 'erfasst eine frühere, vollständige Fassung des Dokuments',
    part: 'erfasst nur einen Teil',
    nothing: 'was sie erfasst, ist nicht festzustellen',
  },
  timestampKind: {
    content: 'Inhaltszeitstempel',
    signature: 'Signaturzeitstempel',
    archive: 'Archivzeitstempel',
    document: 'Dokumentzeitstempel',
    manifest: 'Zeitstempel über ein Verzeichnis',
  },
  label: {
    signature: 'Signatur',
    seal: 'Siegel',
    timestamp: 'Zeitstempel',
    verdict: 'Ergebnis',
    reason: 'Grund',
    besides: 'Außerdem',
    advice: 'Was Sie tun können',
    signer: 'Signiert von',
    issuer: 'Zertifikat ausgestellt von',
    time: 'Nachgewiesener Zeitpunkt',
    claimedTime: 'Zeitpunkt laut Unterzeichner',
    level: 'Stufe',
    qualification: 'Art',
    proof: 'Nachweis der Art',
    scope: 'Umfang',
    field: 'Feld',
    remarks: 'Hinweise',
    document: 'Dokument',
    size: 'Größe',
    format: 'Format',
    validationTime: 'Geprüft am',
    policy: 'Prüfregel',
    algorithms: 'Verfahren',
    suitable: 'geeignet bis',
    suitableAlways: 'ohne bekanntes Ende',
    unsuitable: 'nicht geeignet',
    constraints: 'Prüfschritte',
    trust: 'Vertrauensanker',
    lists: 'Vertrauenslisten',
    revocation: 'Sperrstatus',
    restrictions: 'Beschränkungen',
    none: 'keiner',
    unknownSigner: 'unbekannt',
    byTimestamp: 'Zeitstempel',
    byValidation: 'Zeit dieser Prüfung; ein Zeitstempel fehlt oder zählt nicht',
    qualifiedTimestamp: 'qualifizierter Zeitstempel',
    page: 'Seite',
  },
  constraintResult: { passed: 'erfüllt', failed: 'verletzt', undecided: 'offen', information: 'Hinweis' },
  pdf: {
    further: (count: number) => `${String(count)} weitere Einträge stehen in den Anlagen dieser Datei.`,
    attachments: 'Anlagen: der vollständige Bericht als JSON und als ETSI-Prüfbericht (XML).',
  },
  disclaimer:
    'Dieser Bericht folgt ETSI EN 319 102-1. Er stammt nicht von einem qualifizierten Validierungsdienst (Art. 33 eIDAS-VO).',
}

/** The shape that every language has. */
export type ReportTexts = typeof de
