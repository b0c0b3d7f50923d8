/** What a form or an API request may wish of a seal. */
import { z } from 'zod'
import { GatewayError } from './errors.ts'
import { SEAL_LEVELS } from './seal-level.ts'
import type { SealWishes } from './seal-level.ts'

/** Fields of a JSON body; texts are checked again where the seal is made. */
export const wishesShape = {
  level: z.enum(SEAL_LEVELS).optional(),
  reason: z.string().max(200).optional(),
  location: z.string().max(200).optional(),
}

/** Empty fields are no wishes; other fields are left alone. @throws GatewayError `gateway/bad-input` */
export function readWishes(fields: Readonly<Record<string, unknown>>): SealWishes {
  const given = Object.fromEntries(
    Object.keys(wishesShape).map((key) => [key, fields[key] === '' ? undefined : fields[key]]),
  )
  const parsed = z.object(wishesShape).safeParse(given)
  if (!parsed.success) throw new GatewayError('gateway/bad-input', { facts: { reason: 'seal' } })
  const { level, reason, location } = parsed.data
  return {
    ...(level === undefined ? {} : { level }),
    ...(reason === undefined ? {} : { reason }),
    ...(location === undefined ? {} : { location }),
  }
}
