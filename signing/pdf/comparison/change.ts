/**
 * One difference between a signed revision and the document as it is now, by the way that leads to it.
 */

/**
 * - `evidence`: security store, developer extensions, version
 * - `metadata`: XMP, dates in /Info, private data of applications
 * - `timestamp`: a document time-stamp with its field
 * - `signature`: a further signature with its field
 * - `form`: value and appearance of a form field
 * - `annotation`: a comment, stamp, link …
 * - `unused`: new, and nothing leads to it
 * - `unclear`: changed, and nothing leads to it, or its effect is not known
 * - `forbidden`: all that makes up the document: pages, contents, fonts, actions, names, layers …
 */
export type ChangeKind =
  'evidence' | 'metadata' | 'timestamp' | 'signature' | 'form' | 'annotation' | 'unused' | 'unclear' | 'forbidden'

export interface Change {
  kind: ChangeKind
  /** where: `catalog /OpenAction`, `page object 3 /Contents`; names no content */
  place: string
  /** fully qualified name of the form field, where one is concerned */
  field?: string
  /** something visible was there when it was signed and is another now, or is gone */
  isReplaced?: boolean
  /** what is new can lie over what was signed */
  canCover?: boolean
}
