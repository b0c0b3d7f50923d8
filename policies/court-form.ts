/**
 * What German courts demand of the files of a filing: the rules as data, each with its weight and its source.
 *
 * Sources: ZPO § 130a (VwGO § 55a, SGG § 65a, ArbGG § 46c and FGO § 52a say the same), ERVV §§ 2 to 5, the notice on
 * § 5 ERVV (ERVB 2025, in force since 2025-07-30; its numbers 1, 3 and 5), and for names the guide of the federal and
 * state commission on electronic legal communication with XJustiz. Rules about the XJustiz data set are not here.
 */

/**
 * - `block`: do not send it like this
 * - `open`: cannot be decided here
 * - `warn`: a person should look at it
 */
export type CourtSeverity = 'block' | 'open' | 'warn'

export interface CourtRule {
  readonly severity: CourtSeverity
  /** where the message goes a secure way with proof of origin (VHN), on which a simple signature is enough; absent: the same */
  readonly onSecureWay?: CourtSeverity
  /** `form`: who answers for a document (§ 130a Abs. 3, 4 ZPO) · `files`: whether the court can work with it (Abs. 2) */
  readonly about: 'form' | 'files'
  readonly basis: string
}

const FORM = '§ 130a Abs. 3 Satz 1 ZPO'
const FITNESS = '§ 130a Abs. 2 ZPO'
/**
 * Since 2022 what should be ("soll"), not what must be: whoever breaks it files in due form all the same. It stays a warning, for
 * a court that cannot work with the file asks for another one (§ 130a Abs. 6 ZPO).
 */
const CONTENT = '§ 2 Abs. 2 ERVV, ERVB Nr. 1'
const NAMES = 'Leitfaden ERV der BLK, XJustiz (Dateiname)'

export const COURT_RULES = {
  'no-document': { severity: 'block', about: 'form', basis: FORM },
  'signature-missing': { severity: 'block', about: 'form', basis: '§ 130a Abs. 3, 4 ZPO' },
  'simple-signature': { severity: 'warn', about: 'form', basis: FORM },
  'container-signature': { severity: 'block', onSecureWay: 'warn', about: 'form', basis: '§ 4 Abs. 2 ERVV' },
  'seal-only': { severity: 'block', onSecureWay: 'warn', about: 'form', basis: FORM },
  'signature-not-qualified': { severity: 'block', onSecureWay: 'warn', about: 'form', basis: FORM },
  'signature-invalid': { severity: 'block', onSecureWay: 'warn', about: 'form', basis: FORM },
  'signature-enveloping': { severity: 'block', onSecureWay: 'warn', about: 'form', basis: '§ 5 ERVV, ERVB Nr. 5' },
  'signature-undecided': { severity: 'open', onSecureWay: 'warn', about: 'form', basis: FORM },
  'signature-form': { severity: 'open', onSecureWay: 'warn', about: 'form', basis: '§ 5 ERVV, ERVB Nr. 5' },
  'further-signature': { severity: 'warn', about: 'form', basis: FORM },
  'signature-orphaned': { severity: 'block', about: 'files', basis: '§ 5 ERVV, ERVB Nr. 5' },
  'signature-unreadable': { severity: 'block', about: 'files', basis: '§ 5 ERVV, ERVB Nr. 5' },

  'file-count': { severity: 'block', about: 'files', basis: '§ 5 ERVV, ERVB Nr. 3' },
  'file-volume': { severity: 'block', about: 'files', basis: '§ 5 ERVV, ERVB Nr. 3' },
  'limits-near': { severity: 'warn', about: 'files', basis: '§ 5 ERVV, ERVB Nr. 3' },
  'file-empty': { severity: 'block', about: 'files', basis: FITNESS },
  'file-type': { severity: 'block', about: 'files', basis: '§ 2 Abs. 1 ERVV' },
  'exhibit-type': { severity: 'warn', about: 'files', basis: '§ 2 Abs. 1 ERVV' },
  'image-beside-pdf': { severity: 'warn', about: 'files', basis: '§ 2 Abs. 1 Satz 2 ERVV' },
  archive: { severity: 'block', about: 'files', basis: '§ 2 Abs. 1 ERVV' },
  executable: { severity: 'block', about: 'files', basis: FITNESS },
  'second-kind': { severity: 'block', about: 'files', basis: FITNESS },

  'pdf-version': { severity: 'warn', about: 'files', basis: '§ 2 Abs. 1 Satz 3 ERVV, ERVB Nr. 1' },
  'pdf-password': { severity: 'block', about: 'files', basis: FITNESS },
  'pdf-encrypted': { severity: 'block', about: 'files', basis: FITNESS },
  'pdf-restricted': { severity: 'block', about: 'files', basis: FITNESS },
  'pdf-damaged': { severity: 'block', about: 'files', basis: FITNESS },
  'pdf-not-searched': { severity: 'open', about: 'files', basis: CONTENT },
  'pdf-script': { severity: 'warn', about: 'files', basis: CONTENT },
  'pdf-launch': { severity: 'warn', about: 'files', basis: CONTENT },
  'pdf-embedded-file': { severity: 'warn', about: 'files', basis: CONTENT },
  'pdf-executable': { severity: 'block', about: 'files', basis: FITNESS },
  'pdf-xfa': { severity: 'warn', about: 'files', basis: CONTENT },
  'pdf-multimedia': { severity: 'warn', about: 'files', basis: CONTENT },
  'pdf-external': { severity: 'warn', about: 'files', basis: CONTENT },
  'pdf-fonts': { severity: 'warn', about: 'files', basis: CONTENT },

  'name-length': { severity: 'block', about: 'files', basis: NAMES },
  'name-characters': { severity: 'block', about: 'files', basis: NAMES },
  'name-dots': { severity: 'block', about: 'files', basis: NAMES },
  'name-reserved': { severity: 'block', about: 'files', basis: NAMES },
  'name-twice': { severity: 'block', about: 'files', basis: NAMES },
} as const satisfies Record<string, CourtRule>

/** Stable: reports and whoever reads them name rules by it. */
export type CourtRuleId = keyof typeof COURT_RULES

/**
 * Of one message, signature files and data set included. The notice says "200 MB" and not which; 10^6 is safe for both.
 */
export const COURT_LIMITS = {
  files: 1000,
  bytes: 200_000_000,
  /** what the sending program adds itself: the data set, vhn.xml, vhn.xml.p7s */
  ownFiles: 3,
  ownBytes: 2_000_000,
} as const

/** PDF/A-1, PDF/A-2 and PDF/UA are profiles of these. */
export const COURT_PDF_VERSIONS: ReadonlySet<string> = new Set([
  '1.0',
  '1.1',
  '1.2',
  '1.3',
  '1.4',
  '1.5',
  '1.6',
  '1.7',
  '2.0',
])

/** Endings of signature files beside a document (CAdES). */
export const SIGNATURE_ENDINGS: ReadonlySet<string> = new Set(['p7s', 'pkcs7'])

/** Endings of what a computer executes when it is opened. */
export const EXECUTABLE_ENDINGS: ReadonlySet<string> = new Set(
  (
    'app apk bat bin cmd com command cpl deb dll dmg exe gadget hta inf iso jar js jse lnk mjs msc msi msp pif ps1 psm1 py reg ' +
    'rpm scr sh so sys vb vbe vbs wsf wsh xpi docm dotm xlsm xltm xlam pptm potm ppam ppsm'
  ).split(' '),
)
