/** Demo steps that move bytes: an upload through a proxy that really cuts it, and a download whose hash is compared. */
import { setTimeout as delay } from 'node:timers/promises'
import { findRemoteFile, type RemoteFile } from '../client/rooms.ts'
import { stateFileOf, uploadFile } from '../client/tus-upload.ts'
import { CliError } from '../errors.ts'
import { formatBytes } from '../output.ts'
import { startCuttingProxy } from './cutting-proxy.ts'
import { equal } from './expect.ts'
import type { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'
import type { Room } from '../../storage/index.ts'

export interface Transfer {
  visitor: Visitor
  room: Room
  file: string
  name: string
  size: number
  sha256: string
  /** how often the connection is cut */
  cuts: number
}

export async function uploadOverBreakingLine({ serving, house }: Stage, transfer: Transfer) {
  const { visitor, room, file, name, size, sha256, cuts } = transfer
  const marks = Array.from({ length: cuts }, (_, index) => Math.floor((size * (index + 1)) / (cuts + 1)))
  const proxy = await startCuttingProxy(serving.port, marks)
  const resumedAt: number[] = []
  try {
    const api = visitor.through(proxy.origin)
    const sent = await uploadFile(api, {
      ...{ file, name, room: room.id, stateFile: stateFileOf(file) },
      onProgress: () => undefined,
      onResume: (offset) => resumedAt.push(offset),
    })
    equal('connections cut', proxy.cuts(), cuts)
    if (sent.resumed < cuts)
      throw new CliError('cli/check-failed', `the upload was taken up ${sent.resumed} times after ${cuts} cuts`)
  } finally {
    await proxy.close()
  }
  const stored = await settled(visitor, room.id, { name, sha256 })
  equal('stored size', stored.size, size)
  equal('stored sha256', stored.sha256 ?? 'none', sha256)
  const facts = { size: formatBytes(size), sha256, level: room.level, cuts }
  const verdict = await house.storage.files.byName(room.id, name)
  equal('uploader recorded', verdict?.createdBy === null ? 'nobody' : 'a person', 'a person')
  return {
    value: stored,
    facts: cuts === 0 ? facts : { ...facts, 'resumed at': resumedAt.map(formatBytes).join(' / ') },
  }
}

/** The file once its digest is known: after an interruption the server may still have to read it once. */
async function settled(
  visitor: Visitor,
  roomId: string,
  wanted: { name: string; sha256: string },
): Promise<RemoteFile> {
  for (let tries = 0; tries < 300; tries += 1) {
    const file = await findRemoteFile(visitor.api, roomId, wanted)
    if (file?.state === 'released' && file.sha256 !== null) return file
    await delay(100)
  }
  throw new CliError('cli/check-failed', 'the uploaded file was not released within 30 s')
}

export async function fetchIdentical(
  visitor: Visitor,
  roomId: string,
  sample: { name: string; size: number; sha256: string },
) {
  const file = await findRemoteFile(visitor.api, roomId, sample)
  if (!file) throw new CliError('cli/check-failed', 'staff do not see the file')
  const got = await visitor.digestOf(file.id)
  equal('size', got.size, sample.size)
  equal('sha256', got.sha256, sample.sha256)
  return { value: file, facts: { size: formatBytes(got.size), sha256: got.sha256, 'byte-identical': 'yes' } }
}
