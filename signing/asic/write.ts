/**
 * Makes containers with CAdES: ASiC-E over any number of files by a manifest, ASiC-S over one (ETSI EN 319 162-1 §4.3,
 * §4.4). Level B-B; extend.ts lifts them.
 *
 * For archives and other agencies: courts do not accept one signature over several documents (ERVV § 4).
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { signCades } from '../cms/cades.ts'
import { contentHash } from '../cms/signed-data.ts'
import { SigningError } from '../errors.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { bufferAccess, piecesOf } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import { writeManifest } from './manifest.ts'
import { ASIC_E, ASIC_S, MIMETYPE } from './parts.ts'
import { doubledNames, nameFault, nameKey } from './zip-names.ts'
import { memoryPart, zipArchive } from './zip-writer.ts'
import type { ZipPart } from './zip-writer.ts'

export interface AsicFile {
  /** with `/` between folders */
  name: string
  /** RFC 6838, for the manifest */
  mimeType: string
  content: RandomAccess
}

export interface AsicRequest {
  /** ASiC-S holds exactly one file */
  container: 'asic-s' | 'asic-e'
  /** claimed time, a signed attribute; the certificate must be valid then */
  signedAt: Date
}

/**
 * Signs `files` in one container. The files are read once here, and again whenever the result is read.
 *
 * @throws SigningError `signing/bad-file-name`; codes as signCades
 */
export async function signAsic(
  files: readonly AsicFile[],
  key: SigningKey,
  request: AsicRequest,
): Promise<RandomAccess> {
  const { container, signedAt } = request
  checkNames(files, container)
  const hash = contentHash(key)
  const parts: (ZipPart & { digest: Buffer })[] = []
  for (const file of files) parts.push(await storedFile(file, hash))
  const [only] = files
  const signature = { signedAt, form: 'detached' } as const
  if (container === 'asic-s' && only !== undefined) {
    const cms = await signCades(only.content, key, { ...signature, mimeType: only.mimeType })
    const added = [memoryPart('META-INF/signature.p7s', cms)]
    return zipArchive([memoryPart(MIMETYPE, Buffer.from(ASIC_S)), ...parts, ...added], signedAt)
  }
  const manifest = writeManifest({
    signature: { name: 'META-INF/signature001.p7s', mimeType: 'application/pkcs7-signature' },
    references: files.map(({ name, mimeType }, index) => {
      const value = parts[index]?.digest ?? Buffer.alloc(0)
      return { name, digest: hash, value, mimeType, isRoot: false }
    }),
  })
  const cms = await signCades(bufferAccess(manifest), key, signature)
  const added = [memoryPart('META-INF/ASiCManifest001.xml', manifest), memoryPart('META-INF/signature001.p7s', cms)]
  return zipArchive([memoryPart(MIMETYPE, Buffer.from(ASIC_E)), ...parts, ...added], signedAt)
}

function checkNames(files: readonly AsicFile[], container: AsicRequest['container']): void {
  const names = files.map(({ name }) => name)
  if (names.length === 0 || (container === 'asic-s' && names.length > 1)) throw badName('how many files there are')
  if (names.length > MAX_FILES) throw badName('too many files')
  const [fault] = names.flatMap((name) => nameFault(name) ?? [])
  if (fault !== undefined) throw badName(fault)
  if (names.some((name) => name.endsWith('/') || RESERVED.test(nameKey(name)))) throw badName('reserved')
  if (doubledNames(names).length > 0) throw badName('twice')
  const keys = new Set(names.map(nameKey))
  const isFolder = (name: string): boolean => parents(nameKey(name)).some((parent) => keys.has(parent))
  if (names.some(isFolder)) throw badName('a file and a folder have the same name')
}

function parents(name: string): string[] {
  const parts = name.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

async function storedFile(file: AsicFile, hash: string): Promise<ZipPart & { digest: Buffer }> {
  const digest = createHash(hash)
  let checksum = 0
  for await (const piece of piecesOf(file.content)) {
    digest.update(piece)
    checksum = crc32(piece, checksum)
  }
  const { name, content } = file
  return { name, method: 0, crc32: checksum, size: content.size, packed: content, digest: digest.digest() }
}

function badName(what: string): SigningError {
  return new SigningError('signing/bad-file-name', `the names of the files do not fit a container: ${what}`)
}

const RESERVED = /^(?:mimetype$|meta-inf(?:\/|$))/
const MAX_FILES = 9_000
