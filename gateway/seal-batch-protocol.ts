/** The sealed protocol of a batch: a PDF in the room that names every document with its hashes and its outcome. */
import { readCertificate, sealMany, sealProtocolPdf, bufferAccess } from '../signing/index.ts'
import type { SealProtocolRow, SigningKey } from '../signing/index.ts'
import { isStorageError } from '../storage/index.ts'
import type { Actor, FileVersion, SealBatch, SealBatchItem, Storage } from '../storage/index.ts'
import type { SealerDeps } from './seal.ts'

/** Writes, seals and files the protocol, and ends the batch, in one transaction. A batch that ended meanwhile keeps its end. */
export async function fileProtocol(deps: SealerDeps, batch: SealBatch, key: SigningKey, by: Actor): Promise<void> {
  const { storage, setup, clock } = deps
  const madeAt = clock()
  const [outcome] = await sealMany([bufferAccess(await protocolOf(storage, batch, { key, madeAt }))], key, {
    signedAt: madeAt,
    ...(setup.sources === null ? {} : { timestamps: setup.sources.timestamps }),
  })
  if (outcome?.kind !== 'sealed') throw outcome?.error ?? new Error('no outcome for the protocol')
  const stored = await storage.contents.put(batch.roomId, outcome.sealed.bytes)
  try {
    await storage.transact(async (rows) => {
      await stored.commit(rows.db)
      const name = `Siegelprotokoll ${batch.createdAt.toISOString().slice(0, 10)} ${batch.id.slice(0, 8)}.pdf`
      const version = { contentId: stored.contentId, mediaType: 'application/pdf', note: `sealed (${key.kind})` }
      const file = await rows.files.create({ ...version, roomId: batch.roomId, name, state: 'released' }, by)
      await rows.sealBatches.finish(batch.id, file, by)
    })
  } catch (error) {
    if (!isStorageError(error, 'storage/database-unavailable')) await stored.discard()
    if (!isStorageError(error, 'storage/wrong-state')) throw error
  }
}

async function protocolOf(
  storage: Storage,
  batch: SealBatch,
  { key, madeAt }: { key: SigningKey; madeAt: Date },
): Promise<Buffer> {
  const rows: SealProtocolRow[] = []
  for (let from = 0; ; from += PAGE) {
    const items = await storage.sealBatches.items(batch.id, { from, limit: PAGE })
    for (const item of items) rows.push(await rowOf(storage, item))
    if (items.length < PAGE) break
  }
  const { sealed, failed } = await storage.sealBatches.byId(batch.id)
  const { commonName, serialNumber, issuerName } = readCertificate(key.certificateChain[0])
  return sealProtocolPdf({
    title: 'Siegelprotokoll',
    language: 'de',
    madeAt,
    about: [
      { label: 'Vorgang', text: batch.id },
      { label: 'Begonnen', text: batch.createdAt.toISOString() },
      { label: 'Beendet', text: madeAt.toISOString() },
      {
        label: 'Siegel',
        text: `${commonName}, Nr. ${serialNumber}, ausgestellt von ${issuerName} (${KIND[key.kind]})`,
      },
      {
        label: 'Dokumente',
        text: `${String(batch.total)}, gesiegelt ${String(sealed)}, nicht gesiegelt ${String(failed)}`,
      },
    ],
    heads: ['Dokument', 'SHA-256 vorher', 'SHA-256 gesiegelt', 'Ergebnis'],
    rows,
  })
}

async function rowOf(storage: Storage, item: SealBatchItem): Promise<SealProtocolRow> {
  const { name } = await storage.files.byId(item.fileId)
  const versions = await storage.files.versions(item.fileId)
  const hashOf = (number: number | null): string =>
    versions.find((version: FileVersion) => version.number === number)?.sha256 ?? ''
  return {
    name,
    before: hashOf(item.version),
    after: hashOf(item.sealedVersion),
    result:
      item.state === 'sealed'
        ? `gesiegelt, Fassung ${String(item.sealedVersion)}`
        : `nicht gesiegelt: ${item.error ?? '–'}`,
  }
}

const KIND = {
  trial: 'Probesiegel',
  advanced: 'fortgeschritten laut Zertifikat',
  qualified: 'qualifiziert laut Zertifikat',
} as const
const PAGE = 500
