/** Namespaces and URIs of trusted lists (ETSI TS 119 612 annexes C and D). */
export const TSL_NAMESPACE = 'http://uri.etsi.org/02231/v2#'
/** the same elements stand in both since version 2 of the schema */
export const ADDITIONAL_NAMESPACE = 'http://uri.etsi.org/02231/v2/additionaltypes#'
export const QUALIFICATIONS_NAMESPACE = 'http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#'

export const TSL_TAG = 'http://uri.etsi.org/19612/TSLTag'
export const LIST_MIME_TYPE = 'application/vnd.etsi.tsl+xml'
export const LIST_OF_LISTS = 'EUlistofthelists'
export const NATIONAL_LIST = 'EUgeneric'

const PREFIXES = [
  'http://uri.etsi.org/TrstSvc/TrustedList/TSLType/',
  'http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/',
  'http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/',
  'http://uri.etsi.org/TrstSvc/Svctype/',
]

/** The part of an ETSI URI that tells; a foreign URI stays whole and equals none of ours. */
export function shortUri(uri: string): string {
  const prefix = PREFIXES.find((candidate) => uri.startsWith(candidate))
  return prefix === undefined ? uri : uri.slice(prefix.length)
}
