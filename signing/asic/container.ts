/**
 * A ZIP container opened strictly: every entry read once and proven, every name fit (ETSI EN 319 162-1 §A.1).
 */
import { createHash } from 'node:crypto'
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import { createDigest } from '../trust/digest.ts'
import { pdfHeaderIn } from '../validation/second-kind.ts'
import { fileName } from './file-uri.ts'
import { contentAccess, isWithinLimits, readContent } from './zip-content.ts'
import type { PackedEntry } from './zip-content.ts'
import { damaged, readDirectory } from './zip-directory.ts'
import type { ZipDirectory, ZipEntry } from './zip-directory.ts'
import { readLayout } from './zip-layout.ts'
import type { ZipProblem } from './zip-layout.ts'
import { doubledNames, nameFault } from './zip-names.ts'

export interface ContainerFile extends PackedEntry {
  name: string
  /** the content; every byte was proven when the container was opened */
  content: RandomAccess
  /** by any digest, each computed once */
  digest: (digest: Digest) => Promise<Buffer>
}

export interface Container {
  source: RandomAccess
  /** without folders and without what cannot be read, in the order of the directory */
  files: readonly ContainerFile[]
  byName: ReadonlyMap<string, ContainerFile>
  problems: readonly ZipProblem[]
  /** as in the directory */
  entries: readonly ZipEntry[]
}

/**
 * Opens a container and reads all of it once.
 *
 * @throws SigningError `signing/container-damaged` no ZIP archive, or beyond the limits
 */
export async function openContainer(source: RandomAccess): Promise<Container> {
  const directory = await readDirectory(source)
  const { entries } = directory
  const layout = await readLayout(source, directory)
  const problems: ZipProblem[] = [...layout.problems, ...directoryProblems(directory)]
  const files: ContainerFile[] = []
  let unpacked = 0
  for (const [index, entry] of entries.entries()) {
    if (entry.name.endsWith('/') && entry.size === 0) continue
    unpacked += entry.method === 0 ? 0 : entry.size
    const packed = { entry, dataOffset: layout.dataOffsets[index] ?? 0 }
    const isReadable = isWithinLimits(entry) && unpacked <= MAX_UNPACKED_BYTES && packed.dataOffset > 0
    const sha256 = isReadable ? await proven(source, packed) : null
    if (sha256 === null) problems.push({ kind: 'contradiction', detail: `${entry.name}: cannot be read` })
    else files.push(containerFile(source, packed, sha256))
  }
  const start = await source.read(0, Math.min(source.size, START_BYTES))
  const header = pdfHeaderIn(start)
  if (header !== null && !files.some((file) => isInside(file, header)))
    problems.push({ kind: 'contradiction', detail: 'the archive can be taken for a PDF' })
  // of doubled names the first is as good as any: nothing of such a container is believed
  const byName = new Map([...files].reverse().map((file) => [file.name, file]))
  return { source, files, byName, problems, entries }
}

/** The file that a relative address names: percent-encoded, or as others write it plainly. */
export function fileAt({ byName }: Container, uri: string): ContainerFile | undefined {
  return byName.get(fileName(uri)) ?? byName.get(uri)
}

/** A viewer that begins there shows, if anything, this file. */
function isInside({ entry, dataOffset }: PackedEntry, at: number): boolean {
  return at >= dataOffset && at < dataOffset + entry.packedBytes
}

/** SHA-256 of the content; null when it is not what the directory says. */
async function proven(source: RandomAccess, packed: PackedEntry): Promise<Buffer | null> {
  const hash = createHash('sha256')
  try {
    for await (const piece of readContent(source, packed)) hash.update(piece)
    return hash.digest()
  } catch (error) {
    if (error instanceof SigningError && error.code === 'signing/container-damaged') return null
    throw error
  }
}

function containerFile(source: RandomAccess, packed: PackedEntry, sha256: Buffer): ContainerFile {
  const known = new Map<string, Promise<Buffer>>([['sha256', Promise.resolve(sha256)]])
  const digest = (name: Digest): Promise<Buffer> => {
    const result = known.get(name) ?? digestOf(source, packed, name)
    known.set(name, result)
    return result
  }
  return { ...packed, name: packed.entry.name, content: contentAccess(source, packed), digest }
}

async function digestOf(source: RandomAccess, packed: PackedEntry, name: Digest): Promise<Buffer> {
  const hash = createDigest(name)
  for await (const piece of readContent(source, packed)) hash.update(piece)
  return hash.digest()
}

function directoryProblems({ entries }: ZipDirectory): ZipProblem[] {
  const problems: ZipProblem[] = []
  const contradict = (name: string, what: string): void => {
    problems.push({ kind: 'contradiction', detail: `${name}: ${what}` })
  }
  for (const entry of entries) {
    const fault = nameFault(entry.name)
    if (fault !== null) contradict(entry.name, `the name is not fit: ${fault}`)
    if ((entry.flags & ENCRYPTED_FLAGS) !== 0) contradict(entry.name, 'encrypted')
    if (entry.hasOtherName) contradict(entry.name, 'has a second name')
    if (entry.name.endsWith('/') && entry.size > 0) contradict(entry.name, 'a folder with content')
  }
  for (const name of doubledNames(entries.map((entry) => entry.name))) contradict(name, 'appears twice')
  return problems
}

/**
 * All of a small file.
 *
 * @throws SigningError `signing/container-damaged` larger than `maxBytes`
 */
export async function readWhole({ content }: ContainerFile, maxBytes: number): Promise<Buffer> {
  if (content.size > maxBytes) throw damaged('a signature file of the container is too large')
  return Buffer.from(await content.read(0, content.size))
}

/** encrypted, strongly encrypted, masked header (APPNOTE §4.4.4) */
const ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000
const START_BYTES = 2048
/** of all packed entries together */
const MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
