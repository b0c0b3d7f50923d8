/** The section `seal` of the configuration: where the seal key lies, and what it must be. */
import { z } from 'zod'
import { file, wholeNumber } from './config-parts.ts'
import { SIGNATURE_ALGORITHMS } from '../signing/index.ts'
import type { SignatureAlgorithm } from '../signing/index.ts'

const algorithm = z
  .enum(SIGNATURE_ALGORITHMS as [SignatureAlgorithm, ...SignatureAlgorithm[]])
  .optional()
  .describe('what the key signs with (default: by its kind)')
const certificateFile = file('PEM file with the certificate of the key, then those of its issuers')

const key = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('pkcs12'),
    file: file('PKCS#12 file (default: seal.p12 in keysFolder)').optional(),
    passphraseFile: file('file that holds its passphrase (default: seal.passphrase in keysFolder)').optional(),
    alias: z.string().max(200).optional().describe('friendly name of the key where the file holds several'),
    algorithm,
  }),
  z.strictObject({
    kind: z.literal('pkcs11'),
    module: file('shared library of the token or HSM'),
    token: z.string().min(1).max(64).optional().describe('label or serial number of the token'),
    keyId: z
      .string()
      .regex(/^([0-9a-fA-F]{2}){1,64}$/, 'write the ID in hexadecimal')
      .optional()
      .describe('ID of the key (CKA_ID), hexadecimal'),
    keyLabel: z.string().min(1).max(200).optional().describe('label of the key (CKA_LABEL)'),
    pinFile: file('file that holds the PIN'),
    certificateFile: certificateFile.optional(),
    sessions: wholeNumber('signatures at the same time', 1, 16).default(2),
    timeoutSeconds: wholeNumber('longest wait for the token (seconds)', 1, 600).default(30),
    algorithm,
  }),
  z.strictObject({
    kind: z.literal('csc'),
    url: z.url({ protocol: /^https?$/ }).describe('address of the signing service up to /csc/v1 or /csc/v2'),
    credential: z.string().min(1).max(200).optional().describe('ID of the credential where there are several'),
    clientId: z.string().min(1).max(200).optional().describe('our name at the token server'),
    clientSecretFile: file('file that holds the secret to it').optional(),
    tokenUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('token server (default: as the service says)'),
    tokenFile: file('file that holds a token that was got elsewhere, in place of clientId').optional(),
    pinFile: file('file that holds the PIN of the credential').optional(),
    certificateFile: certificateFile.optional(),
    asynchronous: z.boolean().default(false).describe('let the service answer later (version 2)'),
    timeoutSeconds: wholeNumber('longest wait for one answer (seconds)', 1, 600).default(30),
    algorithm,
  }),
])

export const sealSchema = z.strictObject({
  key: key.prefault({ kind: 'pkcs12' }).describe('where the seal key lies'),
  allowAdvanced: z
    .boolean()
    .default(false)
    .describe('seal with a key whose certificate is not a qualified one, too; trial keys need no such setting'),
})

export type SealKeyConfig = z.output<typeof key>
