/**
 * Object identifiers of CMS, CAdES and time-stamps (RFC 5652, RFC 5035, RFC 3161, ETSI EN 319 122-1).
 */
export const ID_SIGNED_DATA = '1.2.840.113549.1.7.2'
export const ID_DATA = '1.2.840.113549.1.7.1'
/** eContentType of a time-stamp token */
export const ID_TST_INFO = '1.2.840.113549.1.9.16.1.4'

export const ATTRIBUTE = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  /** SHA-1; read, never written */
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  algorithmProtection: '1.2.840.113549.1.9.52',
  signaturePolicy: '1.2.840.113549.1.9.16.2.15',
  commitmentType: '1.2.840.113549.1.9.16.2.16',
  signerLocation: '1.2.840.113549.1.9.16.2.17',
  contentTimeStamp: '1.2.840.113549.1.9.16.2.20',
  /** CRLs and OCSP answers as a signed attribute, in PDF signatures before PAdES (ISO 32000-2 §12.8.3.3.2) */
  adobeRevocationInfo: '1.2.840.113583.1.1.8',
  countersignature: '1.2.840.113549.1.9.6',
  signatureTimeStamp: '1.2.840.113549.1.9.16.2.14',
  archiveTimeStampV3: '0.4.0.1733.2.4',
  /** read, never written, as all down to `escTimeStamp`: extended forms that baseline forbids */
  completeCertificateReferences: '1.2.840.113549.1.9.16.2.21',
  completeRevocationReferences: '1.2.840.113549.1.9.16.2.22',
  certificateValues: '1.2.840.113549.1.9.16.2.23',
  revocationValues: '1.2.840.113549.1.9.16.2.24',
  certificatesCrlsTimeStamp: '1.2.840.113549.1.9.16.2.26',
  archiveTimeStampV2: '1.2.840.113549.1.9.16.2.48',
  escTimeStamp: '1.2.840.113549.1.9.16.2.25',
  /** read, never written */
  atsHashIndex: '0.4.0.1733.2.5',
  /** read, never written */
  atsHashIndexV2: '0.4.0.19122.1.4',
  atsHashIndexV3: '0.4.0.19122.1.5',
} as const

/** Attributes whose values are time-stamp tokens */
export const TOKEN_ATTRIBUTES: ReadonlySet<string> = new Set([
  ATTRIBUTE.contentTimeStamp,
  ATTRIBUTE.signatureTimeStamp,
  ATTRIBUTE.escTimeStamp,
  ATTRIBUTE.certificatesCrlsTimeStamp,
  ATTRIBUTE.archiveTimeStampV2,
  ATTRIBUTE.archiveTimeStampV3,
])

/** OtherRevocationInfoFormat: a full OCSPResponse (RFC 5940 §2.1), or its BasicOCSPResponse alone */
export const REVOCATION_FORMAT = { ocspResponse: '1.3.6.1.5.5.7.16.2', basicOcsp: '1.3.6.1.5.5.7.48.1.1' } as const

/** Extended key usages (RFC 5280 §4.2.1.12) */
export const KEY_PURPOSE = { timeStamping: '1.3.6.1.5.5.7.3.8', ocspSigning: '1.3.6.1.5.5.7.3.9' } as const
