/** Names of the vocabularies that XML signatures are written in. */
export const DSIG_NAMESPACE = 'http://www.w3.org/2000/09/xmldsig#'
export const EXCLUSIVE_NAMESPACE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
export const FILTER2_NAMESPACE = 'http://www.w3.org/2002/06/xmldsig-filter2'
export const XADES_NAMESPACE = 'http://uri.etsi.org/01903/v1.3.2#'
export const XADES141_NAMESPACE = 'http://uri.etsi.org/01903/v1.4.1#'
/** earlier versions, read as far as they mean the same */
export const XADES_LEGACY_NAMESPACES: readonly string[] = [
  'http://uri.etsi.org/01903/v1.1.1#',
  'http://uri.etsi.org/01903/v1.2.2#',
]
