/**
 * Makes containers with CAdES or XAdES: ASiC-E over any number of files, ASiC-S over one (ETSI EN 319 162-1 §4.3, §4.4).
 * Level B-B; extend.ts lifts them.
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
import { signXadesDetached } from '../xades/sign.ts'
import { writeFileList } from './file-list.ts'
import { fileUri } from './file-uri.ts'
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
  /** of the signature; absent: CAdES */
  form?: 'CAdES' | 'XAdES'
  /** claimed time, a signed attribute; the certificate must be valid then */
  signedAt: Date
}

/**
 * Signs `files` in one container. The files are read once here, and again whenever the result is read.
 *
 * @throws SigningError `signing/bad-file-name`; codes as signCades and signXadesDetached
 */
export async function signAsic(
  files: readonly AsicFile[],
  key: SigningKey,
  request: AsicRequest,
): Promise<RandomAccess> {
  const { container, signedAt } = request
  checkNames(files, container)
  const hash = contentHash(key)
  const data: SignedFile[] = []
  for (const file of files) data.push(await storedFile(file, hash))
  const added = request.form === 'XAdES' ? await xadesParts(data, key, request) : await cadesParts(data, key, request)
  const mimetype = memoryPart(MIMETYPE, Buffer.from(container === 'asic-s' ? ASIC_S : ASIC_E))
  return zipArchive([mimetype, ...data.map(({ part }) => part), ...added], signedAt)
}

interface SignedFile {
  file: AsicFile
  part: ZipPart
  /** by the digest of the key */
  digest: Buffer
}

/** §4.3.3.2: over the file itself; §4.4.4: over a manifest that names the files. */
async function cadesParts(data: readonly SignedFile[], key: SigningKey, request: AsicRequest): Promise<ZipPart[]> {
  const signature = { signedAt: request.signedAt, form: 'detached' } as const
  const [only] = data
  if (request.container === 'asic-s' && only !== undefined) {
    const { content, mimeType } = only.file
    return [memoryPart('META-INF/signature.p7s', await signCades(content, key, { ...signature, mimeType }))]
  }
  const manifest = writeManifest({
    signature: { name: 'META-INF/signature001.p7s', mimeType: 'application/pkcs7-signature' },
    references: data.map(({ file: { name, mimeType }, digest }) => {
      return { name, mimeType, digest: contentHash(key), value: digest, isRoot: false }
    }),
  })
  const cms = await signCades(bufferAccess(manifest), key, signature)
  return [memoryPart('META-INF/ASiCManifest001.xml', manifest), memoryPart('META-INF/signature001.p7s', cms)]
}

/** §4.3.3.2, §4.4.3: the references of the signature name the files; ASiC-E has a list of them as well. */
async function xadesParts(data: readonly SignedFile[], key: SigningKey, request: AsicRequest): Promise<ZipPart[]> {
  const references = data.map(({ file: { name, mimeType }, digest }) => {
    return { uri: fileUri(name), mimeType, digestOf: () => Promise.resolve(digest) }
  })
  const signature = await signXadesDetached(references, key, { signedAt: request.signedAt })
  if (request.container === 'asic-s') return [memoryPart('META-INF/signatures.xml', signature)]
  const list = writeFileList(
    ASIC_E,
    data.map(({ file }) => file),
  )
  return [memoryPart('META-INF/manifest.xml', list), memoryPart('META-INF/signatures001.xml', signature)]
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

async function storedFile(file: AsicFile, hash: string): Promise<SignedFile> {
  const digest = createHash(hash)
  let checksum = 0
  for await (const piece of piecesOf(file.content)) {
    digest.update(piece)
    checksum = crc32(piece, checksum)
  }
  const { name, content } = file
  const part = { name, method: 0, crc32: checksum, size: content.size, packed: content }
  return { file, part, digest: digest.digest() }
}

function badName(what: string): SigningError {
  return new SigningError('signing/bad-file-name', `the names of the files do not fit a container: ${what}`)
}

const RESERVED = /^(?:mimetype$|meta-inf(?:\/|$))/
const MAX_FILES = 9_000
