/**
 * Something that a person should know about a document although it decides no indication by itself.
 */

/**
 * - `info`: worth a line in the detailed report
 * - `warning`: must stand beside a good verdict
 * - `unclean`: the headline is never "valid", whatever the signatures say
 */
export type Severity = 'info' | 'warning' | 'unclean'

export interface Finding {
  severity: Severity
  code: FindingCode
  /** English, for experts: numbers, object names, file names of the container; empty when the code says it all */
  detail: string
}

/** The code is the contract; texts in German and English belong to report-texts.ts. */
export type FindingCode =
  /** PDF: objects of an allowed kind were added after signing (evidence, time-stamps, further signatures, form values) */
  | 'extended-after-signing'
  /** PDF: annotations were added or changed after signing */
  | 'annotations-after-signing'
  /** PDF: what was added later can hide signed content */
  | 'content-covered'
  /** PDF: objects were added or changed that nothing leads to, or whose effect is not known */
  | 'unclear-change'
  /** PDF: bytes behind the last revision, or between revisions, that no signature covers and no reader should use */
  | 'uncovered-bytes'
  /** PDF: something looks like a signature but is not in the form */
  | 'signature-like-object'
  /** PDF: a signature that an earlier revision had is gone */
  | 'signature-removed'
  /** PDF: reason, place or time were changed after signing; those of the signed revision are shown */
  | 'display-changed'
  /** PDF: the tables that say where objects are cannot be read; programs repair them, and show what they find */
  | 'structure-damaged'
  /** container: files that no signature, or not this one, covers */
  | 'files-not-covered'
  /** container: the mimetype entry is absent or names another type */
  | 'mimetype'
  /** container: names twice, names that lead out of the container, headers that contradict each other */
  | 'container-structure'
  /** one signature over several documents: courts do not accept it (ERVV § 4) */
  | 'container-signature'
  /** XML: the signature covers an element, not the document */
  | 'element-only'
  /** XML: a ds:Manifest names data that are not there or are others */
  | 'manifest-reference'
  /** signed attributes are not in DER order */
  | 'attributes-unsorted'
  /** the structure is BER, not DER */
  | 'not-der'
  /** bytes follow the signature */
  | 'trailing-bytes'
  /** the signature has elements that no verdict was derived from */
  | 'unknown-elements'
  /** signed without signing-certificate: not an advanced signature after ETSI */
  | 'not-baseline'
  /** SHA-1 in signing-certificate; shown, not judged */
  | 'weak-reference'
  /** the same time-stamp appears more than once; it counts once */
  | 'timestamp-copied'
  /** the document is encrypted; it was opened with the password given */
  | 'encrypted'
  /** the certificate is in time limited by amount, profession or purpose; texts are in the detail */
  | 'certificate-restricted'
  /** revocation data count although newer ones should be had: the status since then is not known */
  | 'revocation-aged'
  /** the file can be taken for one of another kind, and then shows something else; the detail names it */
  | 'second-kind'
  /** the document cannot be read; whether it is signed cannot be told */
  | 'unreadable'
