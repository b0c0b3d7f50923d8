/** Every sentence of the validation reports in English. */
import type { ReportTexts } from './de.ts'

const ASK_SENDER = 'Ask the sender for a newly signed document.'
const NOT_RELY = 'Do not rely on this document.'
const LATER = "Validate the document again later, with a connection to the certificate's issuer."
const NOTHING_HEALS = 'An earlier time-stamp would help; nothing heals this afterwards.'

export const en: ReportTexts = {
  title: 'Validation report on electronic signatures and seals',
  headline: {
    valid: { title: 'Valid', sentence: 'All signatures and seals are valid, and nothing that was signed has changed.' },
    'valid-with-remarks': {
      title: 'Valid with remarks',
      sentence: 'All signatures and seals are valid. Please note the remarks.',
    },
    undecided: {
      title: 'Not conclusive',
      sentence: 'At least one signature, or the state of the document, could not be judged conclusively.',
    },
    invalid: {
      title: 'Invalid',
      sentence: 'At least one signature is invalid. Do not rely on this document.',
    },
    unsigned: { title: 'Not signed', sentence: 'The document has no signature and no seal.' },
  },
  indication: { 'TOTAL-PASSED': 'valid', INDETERMINATE: 'not conclusive', 'TOTAL-FAILED': 'invalid' },
  subIndication: {
    FORMAT_FAILURE: {
      reason: 'The signature cannot be read, or the document was changed after signing in a way that is not allowed.',
      advice: `${NOT_RELY} ${ASK_SENDER}`,
    },
    HASH_FAILURE: { reason: 'The content was changed after signing.', advice: `${NOT_RELY} ${ASK_SENDER}` },
    SIG_CRYPTO_FAILURE: {
      reason: 'The signature value does not fit the certificate.',
      advice: `${NOT_RELY} ${ASK_SENDER}`,
    },
    REVOKED: {
      reason: 'It is proven that the signature was made after the certificate was revoked.',
      advice: `${NOT_RELY} ${ASK_SENDER}`,
    },
    EXPIRED: {
      reason: 'It is proven that the signature was made after the certificate had expired.',
      advice: ASK_SENDER,
    },
    NOT_YET_VALID: {
      reason: 'It is proven that the signature was made before the certificate became valid.',
      advice: ASK_SENDER,
    },
    SIG_CONSTRAINTS_FAILURE: {
      reason: 'The signature does not meet the demands of the validation policy.',
      advice: 'The details say which demand is not met. Another policy may allow it.',
    },
    CHAIN_CONSTRAINTS_FAILURE: {
      reason: 'The certificate or its issuers are not meant for this purpose.',
      advice: ASK_SENDER,
    },
    CERTIFICATE_CHAIN_GENERAL_FAILURE: {
      reason: 'The certificates cannot be judged conclusively. Usually revocation data are missing.',
      advice: LATER,
    },
    CRYPTO_CONSTRAINTS_FAILURE: {
      reason: 'An algorithm of the signature was unsuitable already when it was made.',
      advice: ASK_SENDER,
    },
    POLICY_PROCESSING_ERROR: {
      reason: 'The validation policy could not be applied.',
      advice: 'Please turn to the operators.',
    },
    SIGNATURE_POLICY_NOT_AVAILABLE: {
      reason: 'The signature refers to a signature policy that is not at hand.',
      advice: 'Ask the sender which policy it is.',
    },
    TIMESTAMP_ORDER_FAILURE: { reason: 'The time-stamps contradict each other.', advice: ASK_SENDER },
    NO_SIGNING_CERTIFICATE_FOUND: {
      reason: "The signer's certificate is missing or is not the one that the signature names.",
      advice: ASK_SENDER,
    },
    NO_CERTIFICATE_CHAIN_FOUND: {
      reason: 'The issuer of the certificate is not trusted here.',
      advice: 'Find out in another way who signed. The operators can add trusted issuers.',
    },
    NO_CERTIFICATE_CHAIN_FOUND_NO_POE: {
      reason: 'The issuer was trusted, but there is no proof that the signature is from that time.',
      advice: NOTHING_HEALS,
    },
    REVOKED_NO_POE: {
      reason: 'The certificate is revoked, and there is no proof that the signature is older.',
      advice: NOTHING_HEALS,
    },
    REVOKED_CA_NO_POE: {
      reason: 'A certificate of the issuer is revoked, and there is no proof that the signature is older.',
      advice: NOTHING_HEALS,
    },
    OUT_OF_BOUNDS_NOT_REVOKED: {
      reason:
        'The certificate has expired and was not revoked; there is no proof that the signature was made before that.',
      advice: NOTHING_HEALS,
    },
    OUT_OF_BOUNDS_NO_POE: {
      reason: 'The certificate has expired or is not yet valid, and the time of signing is not proven.',
      advice: NOTHING_HEALS,
    },
    REVOCATION_OUT_OF_BOUNDS_NO_POE: {
      reason: 'The revocation data themselves can no longer be validated.',
      advice: LATER,
    },
    CRYPTO_CONSTRAINTS_FAILURE_NO_POE: {
      reason: 'An algorithm of the signature has become unsuitable, and the time of signing is not proven.',
      advice: NOTHING_HEALS,
    },
    NO_POE: { reason: 'There is no proof that the signature existed in time.', advice: NOTHING_HEALS },
    TRY_LATER: { reason: 'The revocation data are not fresh enough yet.', advice: LATER },
    SIGNED_DATA_NOT_FOUND: {
      reason: 'The signed file is not at hand.',
      advice: 'Validate the signature together with the file that it belongs to.',
    },
  },
  qualification: {
    QESig: 'qualified electronic signature',
    QESeal: 'qualified electronic seal',
    'AdESig-QC': 'advanced signature with a qualified certificate',
    'AdESeal-QC': 'advanced seal with a qualified certificate',
    AdESig: 'advanced signature',
    AdESeal: 'advanced seal',
    undetermined: 'cannot be determined',
    none: 'none',
  },
  listsOverdue: (territories) =>
    `The trusted lists are not up to date (${territories}). What they say about qualification may be outdated.`,
  bytes: (count) => `${count} bytes`,
  provisional: (kind) => `undetermined; would be: ${kind}`,
  finding: {
    'extended-after-signing':
      'Allowed additions were made after signing (validation data, time-stamps, further signatures or form values).',
    'annotations-after-signing': 'Annotations were added or changed after signing.',
    'content-covered': 'Later annotations cover signed content. Please look at the signed revision.',
    'unclear-change': 'Something was changed after signing whose effect is not certain.',
    'uncovered-bytes': 'The document contains bytes that no signature covers.',
    'signature-like-object': 'The document contains something that looks like a signature but is none.',
    'signature-removed': 'A signature that an earlier revision had was removed.',
    'display-changed': 'Displayed details of the signature were changed later. The signed ones are shown.',
    'files-not-covered': 'The container holds files that are not signed.',
    mimetype: 'The container does not name its type, or a wrong one.',
    'structure-damaged': 'The table of contents of the file is damaged. Programs may differ in what they show.',
    'container-structure': 'The structure of the container contradicts itself.',
    'container-signature': 'One signature is for several documents together. Courts do not accept this (ERVV § 4 (2)).',
    'element-only': 'The signature covers only a part of the XML document.',
    'manifest-reference': 'A manifest in the signature names data that are missing or others.',
    'attributes-unsorted': 'The signed attributes are not in the prescribed order.',
    'not-der': 'The signature is not written in the strict form (DER).',
    'trailing-bytes': 'Further bytes follow the signature.',
    'unknown-elements': 'The signature holds elements that are not judged here.',
    'not-baseline': 'The signature follows no ETSI baseline profile.',
    'weak-reference': 'The reference to the certificate uses SHA-1. It is shown, not judged.',
    'timestamp-copied': 'A time-stamp appears more than once. It counts once.',
    encrypted: 'The document is encrypted and was opened with the password.',
    'revocation-aged': 'The revocation data are older than the policy wishes.',
    'second-kind': 'The file can be opened as a file of another kind, too, and then shows something else.',
    unreadable: 'The file cannot be read. Whether it is signed cannot be told.',
    'certificate-restricted': 'The certificate states restrictions.',
  },
  scope: {
    whole: 'covers the whole document',
    revision: 'covers an earlier, complete revision of the document',
    part: 'covers only a part',
    nothing: 'what it covers cannot be determined',
  },
  timestampKind: {
    content: 'content time-stamp',
    signature: 'signature time-stamp',
    archive: 'archive time-stamp',
    document: 'document time-stamp',
    manifest: 'time-stamp over a manifest',
  },
  label: {
    signature: 'Signature',
    seal: 'Seal',
    timestamp: 'Time-stamp',
    verdict: 'Result',
    reason: 'Reason',
    besides: 'Besides',
    advice: 'What you can do',
    signer: 'Signed by',
    issuer: 'Certificate issued by',
    time: 'Proven time',
    claimedTime: 'Time as claimed by the signer',
    level: 'Level',
    qualification: 'Kind',
    proof: 'Proof of the kind',
    scope: 'Coverage',
    field: 'Field',
    remarks: 'Remarks',
    document: 'Document',
    size: 'Size',
    format: 'Format',
    validationTime: 'Validated at',
    policy: 'Validation policy',
    algorithms: 'Algorithms',
    suitable: 'suitable until',
    suitableAlways: 'no known end',
    unsuitable: 'not suitable',
    constraints: 'Checks',
    trust: 'Trust anchor',
    lists: 'Trusted lists',
    revocation: 'Revocation status',
    restrictions: 'Restrictions',
    none: 'none',
    unknownSigner: 'unknown',
    byTimestamp: 'time-stamp',
    byValidation: 'time of this validation; a time-stamp is missing or does not count',
    qualifiedTimestamp: 'qualified time-stamp',
    page: 'page',
  },
  constraintResult: { passed: 'passed', failed: 'failed', undecided: 'open', information: 'remark' },
  pdf: {
    further: (count) => `${String(count)} further entries are in the attachments of this file.`,
    attachments: 'Attachments: the complete report as JSON and as ETSI validation report (XML).',
  },
  disclaimer:
    'This report follows ETSI EN 319 102-1. It does not come from a qualified validation service (Art. 33 eIDAS).',
}
