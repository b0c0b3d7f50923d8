/** The section `trust` of the configuration: whom the validation of signatures believes. */
import path from 'node:path'
import { z } from 'zod'
import { file, wholeNumber } from './config-parts.ts'

export const trustSchema = z.strictObject({
  lotlUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://ec.europa.eu/tools/lotl/eu-lotl.xml')
    .describe('address of the European list of trusted lists'),
  lotlCertificatesFolder: file(
    'folder with the certificates (PEM or DER) that may sign that list, as published in the Official Journal (default: trust/lotl in dataFolder)',
  ).optional(),
  territories: z
    .array(z.string().regex(/^[A-Z]{2}$/, 'write two capital letters, e.g. DE'))
    .max(60)
    .default([])
    .describe('countries whose trusted lists are used, e.g. ["DE", "AT"]; empty: all'),
  anchorsFolder: file(
    'folder with certificates of your own that are trusted, in subfolders by purpose (default: trust/anchors in dataFolder)',
  ).optional(),
  maxOverdueDays: wholeNumber(
    'days after the announced update from which on a list says nothing about qualification any more',
    0,
    3650,
  ).default(14),
  online: z
    .boolean()
    .default(true)
    .describe(
      'this installation reaches the internet: validation asks for revocation data and missing certificates at the addresses that certificates name, and the trusted lists are fetched every night',
    ),
  allowedHosts: z
    .array(z.string().min(1).max(253))
    .max(100)
    .default([])
    .describe('hosts in your own network that may be asked all the same (a mirror, your own authority)'),
  formerServicesUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('OCSP service that answers for German providers that have stopped (DA:VE of the Bundesnetzagentur)'),
})

type Written = z.output<typeof trustSchema>

export interface TrustConfig extends Omit<Written, 'lotlCertificatesFolder' | 'anchorsFolder' | 'formerServicesUrl'> {
  /** where accepted lists are kept */
  listsFolder: string
  lotlCertificatesFolder: string
  anchorsFolder: string
  formerServicesUrl: string | null
}

/** With the folders that were left out. */
export function withTrustFolders(written: Written, dataFolder: string): TrustConfig {
  const inside = (name: string): string => path.join(dataFolder, 'trust', name)
  return {
    ...written,
    listsFolder: inside('lists'),
    lotlCertificatesFolder: written.lotlCertificatesFolder ?? inside('lotl'),
    anchorsFolder: written.anchorsFolder ?? inside('anchors'),
    formerServicesUrl: written.formerServicesUrl ?? null,
  }
}
