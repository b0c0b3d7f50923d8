/** The section `signatures` of the configuration: what seals are made with, besides their key. */
import { z } from 'zod'
import { file, wholeNumber } from './config-parts.ts'
import { SEAL_LEVELS } from '../gateway/index.ts'

const timestampService = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('address of the time-stamping authority (RFC 3161 over HTTP)'),
  policy: z
    .string()
    .regex(/^\d+(\.\d+)+$/, 'write an object identifier, e.g. 1.2.3.4')
    .optional()
    .describe('policy to ask for'),
  userFile: file('file that holds the user name').optional(),
  passwordFile: file('file that holds the password').optional(),
})

export const signaturesSchema = z.strictObject({
  timestampServices: z
    .array(timestampService)
    .max(10)
    .default([])
    .describe('time-stamping authorities in the order in which they are asked; their certificates must be trusted'),
  level: z
    .enum(SEAL_LEVELS)
    .optional()
    .describe('level of seals unless somebody asks for another one (default: B-T with an authority, else B-B)'),
  timeoutSeconds: wholeNumber('longest wait for a time-stamp or revocation data (seconds)', 1, 120).default(10),
})

export type SignaturesConfig = z.output<typeof signaturesSchema>
