/**
 * The story: an external who has only an invitation brings a large file into a confidential room over a line that breaks three times; staff
 * take it out; a PDF is sealed and goes to the practice court; the audit log stands. Each step proves what it says or throws.
 */
import { copyFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { formatBytes } from '../output.ts'
import { invite, issueToken, type PrintedInvitation } from '../people.ts'
import { createApi } from '../client/api.ts'
import { sha256OfFile } from '../digest.ts'
import { expectCourtHasIt, sendToCourt } from './court.ts'
import { expectSealed } from './sealed.ts'
import { samplePdf, writeLargeFile } from './sample-files.ts'
import { fetchIdentical, uploadOverBreakingLine } from './transfers.ts'
import { createVisitor, refusalOf } from './visitor.ts'
import { equal } from './expect.ts'
import type { Stage } from './stage.ts'
import type { Room } from '../../storage/index.ts'

const MIB = 1 << 20

export interface StoryOptions {
  /** the PDF to use; null = one is made */
  pdf: string | null
  /** size of the generated large file in MiB */
  largeMiB: number
}

export async function playStory(stage: Stage, options: StoryOptions): Promise<void> {
  const files = await stage.step('files', () => prepareFiles(stage, options))
  const room = await stage.step('room', () => makeRoom(stage))
  const external = await stage.step('external signs in with link, code, password and one-time code', () =>
    join(stage, room, 'external'),
  )
  await stage.step('password alone does not open the room', () => refuseOneFactor(stage, room))
  await stage.step('large upload over a line cut three times', () =>
    uploadOverBreakingLine(stage, { visitor: external, room, ...files.large }),
  )
  await stage.step('PDF upload', () =>
    uploadOverBreakingLine(stage, { visitor: external, room, ...files.pdf, cuts: 0 }),
  )
  const staff = await stage.step('staff sign in', () => join(stage, room, 'staff'))
  await stage.step('staff download the large file', () => fetchIdentical(staff, room.id, files.large))
  const pdf = await stage.step('staff download the PDF', () => fetchIdentical(staff, room.id, files.pdf))
  const sealed = await stage.step('PDF sealed', () => expectSealed(staff, pdf, stage.house.world.clock()))
  const sent = await stage.step('message queued to the practice court', () => sendToCourt(stage, sealed))
  await stage.step('collected by the practice court, confirmed by Laufzettel', () =>
    expectCourtHasIt(stage, sent, sealed),
  )
  await stage.step('audit chain', () => verifyAudit(stage))
}

interface SampleFile {
  file: string
  name: string
  size: number
  sha256: string
  cuts: number
}

async function prepareFiles({ folder, house }: Stage, { pdf, largeMiB }: StoryOptions) {
  const largeFile = path.join(folder, 'Lageplan.bin')
  await writeLargeFile(largeFile, largeMiB * MIB, house.world.random(32))
  const pdfFile = path.join(folder, 'Bescheid.pdf')
  if (pdf === null) await writeFile(pdfFile, samplePdf('Bescheid ueber die Probe'))
  else await copyFile(pdf, pdfFile)
  const name = pdf === null ? 'Bescheid.pdf' : path.basename(pdf)
  const describe = async (file: string, shown: string, cuts: number): Promise<SampleFile> => {
    const { size } = await stat(file)
    return { file, name: shown, size, sha256: await sha256OfFile(file), cuts }
  }
  const value = { large: await describe(largeFile, 'Lageplan.bin', 3), pdf: await describe(pdfFile, name, 0) }
  return { value, facts: { large: formatBytes(value.large.size), pdf: formatBytes(value.pdf.size) } }
}

async function makeRoom({ house }: Stage) {
  const { storage, operator } = house
  const unit = await storage.units.create({ name: 'Rechtsamt' }, operator)
  const room = await storage.rooms.create({ name: 'Verfahren 12 K 345/26', level: 'SB3', unitId: unit.id }, operator)
  return { value: room, facts: { level: room.level } }
}

async function join(stage: Stage, room: Room, audience: 'external' | 'staff') {
  const { house, origin } = stage
  const role = audience === 'external' ? 'contributor' : 'manager'
  const invitation = await invite(house, `${audience}@example.org`, { audience, room: room.id, role })
  if (invitation.code === null) throw new Error('an invitation to SB3 came without a code')
  const visitor = createVisitor(origin, house.world.clock)
  const token = tokenOf(invitation)
  await visitor.refuseWrongCode(token, invitation.code)
  const password = house.world.random(18).toString('base64url')
  const { factors } = await visitor.redeem({ token, code: invitation.code, password })
  equal('factors', factors.toSorted().join('+'), 'password+totp')
  return { value: visitor, facts: { factors: factors.join(' + '), 'wrong code': 'refused' } }
}

function tokenOf({ link }: PrintedInvitation): string {
  return link.slice(link.lastIndexOf('/') + 1)
}

/** A token of the same person bears the password only. */
async function refuseOneFactor({ house, origin }: Stage, room: Room) {
  const { token } = await issueToken(house, 'external@example.org', { label: 'demo', days: 1 })
  const headers = () => ({ authorization: `Bearer ${token}` })
  const api = createApi({ server: origin, headers, code: null, idleMs: 10_000 })
  const refusal = await refusalOf(api, 'GET', `/api/rooms/${room.id}/files`)
  equal('refusal', refusal.split(/[:/]/).at(-1) ?? '', 'step-up-required')
  return { value: null, facts: { answer: refusal.split(':').at(-1) ?? '' } }
}

async function verifyAudit({ house }: Stage) {
  const verdict = await house.storage.audit.verify()
  equal('audit chain', verdict.kind, 'whole')
  if (verdict.kind !== 'whole') throw new Error('unreachable')
  return { value: null, facts: { entries: verdict.entries, head: verdict.head.slice(0, 16) } }
}
