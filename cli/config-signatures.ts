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

const mark = z.strictObject({
  lines: z
    .array(z.string().min(1).max(120))
    .min(1)
    .max(12)
    .describe('what it says, e.g. the authority and "Elektronisch gesiegelt am {date}"; {date} becomes date and time'),
  logoFile: file('PNG or JPEG, at most 4 MiB and 4 million pixels').optional(),
  page: z
    .union([z.number().int().min(1).max(100_000), z.literal('last')])
    .default(1)
    .describe('page that bears it: a number or last'),
  corner: z
    .enum(['top-left', 'top-right', 'bottom-left', 'bottom-right'])
    .default('bottom-right')
    .describe('top-left, top-right, bottom-left or bottom-right'),
  margin: wholeNumber('distance from both edges (points)', 0, 1000).default(30),
  width: wholeNumber('points', 20, 2000).default(220),
  height: wholeNumber('points', 10, 2000).default(60),
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
  mark: mark.optional().describe('visible mark that every seal of a PDF bears (default: seals are not to be seen)'),
  timeoutSeconds: wholeNumber('longest wait for a time-stamp or revocation data (seconds)', 1, 120).default(10),
})
