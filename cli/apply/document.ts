/** What a provisioning file may hold. Names are the identity of units, rooms and mailboxes; addresses that of users. */
import { z } from 'zod'
import { AUDIENCES, LEVELS, ROLES } from '../../policies/index.ts'

const name = z.string().trim().min(1).max(200)
const address = z
  .string()
  .trim()
  .max(254)
  .regex(/^[^\s@]+@[^\s@]+$/, 'write an e-mail address')

const unit = z.strictObject({ name })

const user = z.strictObject({
  address,
  name: name.optional(),
  audience: z.enum(AUDIENCES).default('external'),
  unit: name.optional(),
  admin: z.boolean().default(false),
})

const member = z.strictObject({ address, role: z.enum(ROLES).default('contributor') })

const room = z.strictObject({
  name,
  level: z.enum(LEVELS).optional(),
  unit: name.optional(),
  members: z.array(member).max(10_000).default([]),
})

const mailbox = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('own'),
    name,
    address: z.string().trim().min(1).max(200),
    unit: name.optional(),
    intermediary: name.default('embedded'),
    /** key files `<keys>-signature.p12` and `<keys>-cipher.p12` in the keys folder; trial keys are made where there are none */
    keys: z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}$/, 'use lower-case letters, digits and hyphens'),
  }),
  z.strictObject({
    kind: z.literal('partner'),
    name,
    address: z.string().trim().min(1).max(200),
    unit: name.optional(),
    intermediary: name.default('embedded'),
    /** PEM or DER, path from the folder of this file */
    cipherCertificateFile: z.string().min(1),
    signatureCertificateFile: z.string().min(1),
  }),
])

export const provisioningSchema = z.strictObject({
  units: z.array(unit).max(10_000).default([]),
  users: z.array(user).max(100_000).default([]),
  rooms: z.array(room).max(100_000).default([]),
  mailboxes: z.array(mailbox).max(1_000).default([]),
})

export type Provisioning = z.output<typeof provisioningSchema>
export type UserEntry = Provisioning['users'][number]
export type RoomEntry = Provisioning['rooms'][number]
export type MailboxEntry = Provisioning['mailboxes'][number]

/** Paths of entries that name the same thing as an earlier one. */
export function repeated(document: Provisioning): (string | number)[][] {
  const found: (string | number)[][] = []
  const look = (path: (string | number)[], names: readonly string[], key: string): void => {
    const seen = new Set<string>()
    names.forEach((one, index) => {
      const same = one.normalize('NFC').toLowerCase()
      if (seen.has(same)) found.push([...path, index, key])
      seen.add(same)
    })
  }
  look(
    ['units'],
    document.units.map((one) => one.name),
    'name',
  )
  look(
    ['users'],
    document.users.map((one) => one.address),
    'address',
  )
  look(
    ['rooms'],
    document.rooms.map((one) => one.name),
    'name',
  )
  look(
    ['mailboxes'],
    document.mailboxes.map((one) => one.name),
    'name',
  )
  document.rooms.forEach((one, index) => {
    look(
      ['rooms', index, 'members'],
      one.members.map((person) => person.address),
      'address',
    )
  })
  return found
}
