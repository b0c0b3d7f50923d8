/** Demo step: the PDF is sealed over the API, downloaded, and its seal checked against its bytes. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { CliError } from '../errors.ts'
import { formatBytes } from '../output.ts'
import type { RemoteFile } from '../client/rooms.ts'
import { equal } from './expect.ts'
import type { Visitor } from './visitor.ts'
import { bufferAccess, validateDocument } from '../../signing/index.ts'
import { parseId, type FileId } from '../../storage/index.ts'

export interface SealedFile {
  fileId: FileId
  size: number
  sha256: string
}

const sealedSchema = z.object({ version: z.number(), sha256: z.string(), kind: z.string() })

export async function expectSealed(staff: Visitor, pdf: RemoteFile, now: Date) {
  const answer = sealedSchema.parse(
    await staff.api.json({ method: 'POST', path: `/api/files/${pdf.id}/seal`, length: 0 }),
  )
  const before = await staff.bytesOf(pdf.id, pdf.version)
  const after = await staff.bytesOf(pdf.id, answer.version)
  if (!after.subarray(0, before.length).equals(before)) {
    throw new CliError('cli/check-failed', 'sealing changed bytes of the document')
  }
  const intact = await sealOf(after, now)
  equal('seal', intact.state, 'intact')
  const damaged = Buffer.from(after)
  damaged.writeUInt8(damaged.readUInt8(9) ^ 1, 9)
  equal('seal after one bit was changed', (await sealOf(damaged, now)).state, 'broken')
  const sha256 = createHash('sha256').update(after).digest('hex')
  equal('sha256 of the sealed document', answer.sha256, sha256)
  const value: SealedFile = { fileId: parseId('file', pdf.id), size: after.length, sha256 }
  const facts = {
    version: answer.version,
    size: formatBytes(after.length),
    sha256,
    seal: `intact, ${intact.signer}, ${answer.kind}`,
    'changed by one bit': 'broken',
  }
  return { value, facts }
}

/** A trial seal has nobody who vouches for it: whole and undecided is the best that it can be. */
async function sealOf(pdf: Buffer, now: Date): Promise<{ state: 'intact' | 'broken'; signer: string }> {
  const report = await validateDocument(bufferAccess(pdf), { anchors: [], now, producer: 'amtsbote demo' })
  const [seal] = report.signatures
  const isIntact = seal?.scope.kind === 'whole' && seal.indication !== 'TOTAL-FAILED'
  const signer = report.certificates.find(({ sha256 }) => sha256 === seal?.certificate)?.subject ?? ''
  return { state: isIntact ? 'intact' : 'broken', signer }
}
