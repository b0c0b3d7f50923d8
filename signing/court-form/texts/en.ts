/** Every sentence of the court-form check in English. Terms of the law stay German. */
import type { CourtTexts } from './de.ts'

const SIGN_EACH = 'Have each document signed by itself with a qualified signature, or send by beBPo with VHN.'
const PRINT_AGAIN = 'Produce the PDF anew, best as PDF/A-2, and sign it afterwards.'
const RENAME = 'Rename the file, before it is signed and together with its signature file.'
const SEPARATELY = 'Attach the files one by one.'

export const en: CourtTexts = {
  title: 'Court-form check (Formprüfung)',
  verdict: {
    kept: { title: 'Form kept', sentence: 'Nothing stands against filing. Please note the remarks.' },
    undecided: {
      title: 'Not conclusive',
      sentence: 'At least one question cannot be decided here. Do not file before it is settled.',
    },
    unfit: {
      title: 'Do not file like this',
      sentence: 'Files are not as courts demand them. Nothing was found against the form of § 130a Abs. 3, 4 ZPO.',
    },
    'not-kept': {
      title: 'Form not kept',
      sentence: 'At least one document is without the form of § 130a Abs. 3, 4 ZPO. It may meet no deadline.',
    },
  },
  form: {
    qualified: 'own valid qualified signature',
    undecided: 'own signature, not conclusive',
    simple: 'simple signature on a secure way',
    missing: 'form not kept',
    'not-asked': '',
  },
  rules: {
    'no-document': {
      reason: 'There is no document that could keep the form.',
      advice: 'Attach the pleading as PDF. Exhibits alone are not enough.',
    },
    'signature-missing': {
      reason: 'The document has no valid qualified signature of its own, and the secure way with VHN is missing.',
      advice: SIGN_EACH,
    },
    'simple-signature': {
      reason:
        'Without a qualified signature the simple one counts: the typed name of the responsible person at the end.',
      advice: 'Look whether the name stands at the end of the text, and send with a valid VHN only.',
    },
    'container-signature': {
      reason: 'One signature is for a container, a list or several documents together (Containersignatur).',
      advice: SIGN_EACH,
    },
    'seal-only': {
      reason: 'At courts a seal does not replace the signature of the responsible person.',
      advice: SIGN_EACH,
    },
    'signature-not-qualified': {
      reason: 'A signature is not qualified.',
      advice: "Sign with a person's qualified certificate, or send by beBPo with VHN.",
    },
    'signature-invalid': {
      reason: 'A signature is invalid, or belongs to another version of the file.',
      advice: 'Sign the file anew, and change nothing in it afterwards.',
    },
    'signature-enveloping': {
      reason: 'The document is inside of the signature or of a container instead of beside it.',
      advice: 'Sign inside the PDF (PAdES) or beside it (CAdES, a file that ends in .p7s).',
    },
    'signature-undecided': {
      reason: 'Whether the signature is valid and qualified could not be judged conclusively.',
      advice: 'Check again with a connection to the issuer and with current trusted lists.',
    },
    'signature-form': {
      reason: 'The signature has a form (XAdES) that courts do not name for documents.',
      advice: 'Sign inside the PDF (PAdES) or beside it (CAdES, a file that ends in .p7s).',
    },
    'further-signature': {
      reason: 'Beside the signature that counts there is another one, which could not replace it.',
      advice: 'The court sees it in its own check. Decide whether it should stay.',
    },
    'signature-orphaned': {
      reason: 'There is no document with a name that fits this signature file.',
      advice: 'Klage.pdf.p7s or Klage.p7s belongs to Klage.pdf. Attach both, or leave both out.',
    },
    'signature-unreadable': {
      reason: 'The file is called like a signature and is none, or it is damaged.',
      advice: 'Have the document signed anew.',
    },
    'file-count': {
      reason: 'The message has too many files.',
      advice: 'Divide the filing, or file on a physical medium after § 3 ERVV.',
    },
    'file-volume': {
      reason: 'The files are too large together.',
      advice: 'Divide the filing, or file on a physical medium after § 3 ERVV.',
    },
    'limits-near': {
      reason: 'With its data set and VHN the message may exceed the limits.',
      advice: 'Leave room for three further files and 2 MB.',
    },
    'file-empty': { reason: 'The file is empty.', advice: 'Attach the right file.' },
    'file-type': {
      reason: 'The file is no PDF.',
      advice: 'Convert a written document to PDF. Name an exhibit in its own format as one when you check.',
    },
    'exhibit-type': {
      reason: 'The exhibit is no PDF.',
      advice: 'See whether it can be converted to PDF without loss.',
    },
    'image-beside-pdf': {
      reason: 'A TIFF stands beside the PDF.',
      advice: 'That is allowed only where the PDF cannot show the picture without loss.',
    },
    archive: { reason: 'The file is an archive or a container.', advice: SEPARATELY },
    executable: { reason: 'The file is executable or has macros.', advice: 'Leave the file out.' },
    'second-kind': {
      reason: 'The file can be taken for one of another kind, and then shows something else.',
      advice: PRINT_AGAIN,
    },
    'pdf-version': { reason: 'The PDF version is none of the announced ones, or none is named.', advice: PRINT_AGAIN },
    'pdf-password': {
      reason: 'The file needs a password. Its signatures were not validated.',
      advice: 'Save it without a password, and sign it afterwards.',
    },
    'pdf-encrypted': {
      reason: 'The file is encrypted, even if it opens without a password.',
      advice: 'Save it without encryption, and sign it afterwards.',
    },
    'pdf-restricted': {
      reason: 'Printing, copying or editing the file is restricted.',
      advice: 'Save it without restrictions, and sign it afterwards.',
    },
    'pdf-damaged': {
      reason: 'The file is damaged or no proper PDF. The court may be unable to open it.',
      advice: PRINT_AGAIN,
    },
    'pdf-not-searched': {
      reason: 'Parts of the file could not be read. Whether there is active content in them is open.',
      advice: PRINT_AGAIN,
    },
    'pdf-script': { reason: 'The file has JavaScript in it.', advice: PRINT_AGAIN },
    'pdf-launch': { reason: 'The file starts programs or opens other files.', advice: PRINT_AGAIN },
    'pdf-embedded-file': {
      reason: 'There are further files inside the file.',
      advice: `${SEPARATELY} Save the PDF without attachments.`,
    },
    'pdf-executable': { reason: 'There is something executable inside the file.', advice: PRINT_AGAIN },
    'pdf-xfa': {
      reason: 'The file is an XFA form.',
      advice: 'Print the completed form into a new PDF, and sign that one.',
    },
    'pdf-multimedia': {
      reason: 'The file has sound, video or 3D in it, which need a special program.',
      advice: SEPARATELY,
    },
    'pdf-external': {
      reason: 'The file reaches for other files or addresses.',
      advice: 'See whether it is complete without them. Plain links are allowed.',
    },
    'pdf-fonts': {
      reason: 'Fonts are not embedded. The court may see the text differently.',
      advice: 'Embed all fonts when you produce the file, for example as PDF/A-2.',
    },
    'name-length': { reason: 'The file name has more than 90 characters, its ending included.', advice: RENAME },
    'name-characters': {
      reason: 'The file name has characters other than letters (ä, ö, ü, ß too), digits, underscore and hyphen.',
      advice: `${RENAME} Blanks and decomposed umlauts are not allowed either.`,
    },
    'name-dots': {
      reason: 'A dot may stand before the ending only, a second one only before that of a signature (.pdf.p7s).',
      advice: RENAME,
    },
    'name-reserved': {
      reason: 'This is the name of a file that the sending program adds itself.',
      advice: RENAME,
    },
    'name-twice': { reason: 'Another file has the same name. Upper and lower case do not count.', advice: RENAME },
  },
  label: {
    files: 'Files',
    checkedAt: 'Checked at',
    way: 'Way',
    vhn: 'beBPo with VHN, as you say; this is not checked here',
    none: 'no secure way with VHN was named',
    exhibit: 'exhibit',
    over: 'signature of',
    form: 'Form',
    message: 'Message',
  },
  disclaimer:
    'Measure: § 130a ZPO (likewise § 55a VwGO, § 65a SGG, § 46c ArbGG, § 52a FGO), ERVV and ERVB 2025. ' +
    'The demands of § 2 Abs. 2 ERVV are soll-rules; a breach harms where the court cannot work with the file. ' +
    'The data set (XJustiz) and the contents of the pleadings were not checked.',
}
