/**
 * What the files of a container are: data, signatures, manifests, time-stamps (ETSI EN 319 162-1 §4, §A.1; ODF 1.3 part 2
 * §4.2 names its signature file like those of XAdES).
 */
import type { DocumentFormat } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { SigningError } from '../errors.ts'
import { readWhole } from './container.ts'
import type { Container, ContainerFile } from './container.ts'
import { readManifest } from './manifest.ts'
import type { AsicManifest } from './manifest.ts'
import { damaged } from './zip-directory.ts'

export interface ContainerParts {
  format: Extract<DocumentFormat, 'asic-s' | 'asic-e' | 'zip'>
  /** what is signed: everything outside META-INF but the mimetype */
  data: readonly ContainerFile[]
  /** .p7s */
  cades: readonly ContainerFile[]
  /** XML files with signatures */
  xades: readonly ContainerFile[]
  /** .tst */
  tokens: readonly ContainerFile[]
  /** null: it cannot be read */
  manifests: readonly { file: ContainerFile; manifest: AsicManifest | null }[]
  findings: readonly Finding[]
  /** elements that each file in XML may have; all of them share what one document of many elements may cost */
  maxElements: number
}

/**
 * Never throws for what one of the files is.
 *
 * @throws SigningError `signing/container-damaged` signatures and manifests are larger together than one may be
 */
export async function partsOf(container: Container): Promise<ContainerParts> {
  const { files } = container
  const of = (pattern: RegExp): ContainerFile[] => files.filter(({ name }) => pattern.test(name))
  const data = files.filter(({ name }) => name !== MIMETYPE && !name.startsWith('META-INF/'))
  const [cades, xades, tokens] = [of(PATTERNS.cades), of(PATTERNS.xades), of(PATTERNS.token)]
  const manifestFiles = of(PATTERNS.manifest)
  const wholeBytes = [...cades, ...xades, ...tokens, ...manifestFiles].reduce(
    (sum, { content }) => sum + content.size,
    0,
  )
  if (wholeBytes > MAX_WHOLE_BYTES) throw damaged('the signature files of the container are too large together')
  const maxElements = Math.floor(MAX_ELEMENTS / Math.max(SHARES, xades.length + manifestFiles.length))
  const manifests = []
  for (const file of manifestFiles) manifests.push({ file, manifest: await tryManifest(file, maxElements) })
  const unknown = files.filter(({ name }) => name.startsWith('META-INF/') && !isKnown(name)).map(({ name }) => name)
  const mimetype = await readMimetype(container)
  const parts = { data, cades, xades, tokens, manifests, maxElements }
  const findings: Finding[] = [
    ...mimetypeFindings(container, mimetype),
    ...manifests.flatMap(({ file, manifest }) => manifestFindings(file.name, manifest)),
    ...(unknown.length === 0 ? [] : [notCovered(unknown, 'warning')]),
  ]
  return { format: formatOf(mimetype, parts), ...parts, findings }
}

/** The names of these files, some of them when there are many. */
export function notCovered(names: readonly string[], severity: Finding['severity']): Finding {
  const shown = names.slice(0, MAX_NAMES).join(', ')
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : ''
  return { severity, code: 'files-not-covered', detail: `${shown}${more}` }
}

async function tryManifest(file: ContainerFile, maxElements: number): Promise<AsicManifest | null> {
  try {
    return readManifest(await readWhole(file, MAX_MANIFEST_BYTES), maxElements)
  } catch (error) {
    if (error instanceof SigningError) return null
    throw error
  }
}

function manifestFindings(name: string, manifest: AsicManifest | null): Finding[] {
  if (manifest === null) return [structure(`${name} cannot be read`)]
  if (manifest.references.length === 0) return [structure(`${name} names no files`)]
  return manifest.signature === null ? [structure(`${name} names no signature`)] : []
}

const structure = (detail: string): Finding => ({ severity: 'unclean', code: 'container-structure', detail })

async function readMimetype({ byName }: Container): Promise<string | null> {
  const file = byName.get(MIMETYPE)
  return file === undefined || file.content.size > 256
    ? null
    : (await file.content.read(0, file.content.size)).toString('latin1').trimEnd()
}

/** §A.1: the first entry, stored, without an extra field; what it says decides what programs take the file for. */
function mimetypeFindings({ byName, entries }: Container, mimetype: string | null): Finding[] {
  const entry = byName.get(MIMETYPE)?.entry
  const finding = (severity: Finding['severity'], detail: string): Finding[] => [{ severity, code: 'mimetype', detail }]
  if (entry === undefined) return finding('warning', 'absent')
  if (mimetype === null || !KNOWN_MIMETYPES.test(mimetype)) return finding('unclean', 'names another type')
  const isFirst = entry.offset === 0 && entries.every(({ offset }) => offset >= entry.offset)
  const isPlain = entry.method === 0 && !entry.hasExtraField
  return isFirst && isPlain ? [] : finding('info', 'not the first entry, or not stored plainly')
}

function formatOf(
  mimetype: string | null,
  { data, cades, xades, tokens, manifests }: Omit<ContainerParts, 'format' | 'findings'>,
): ContainerParts['format'] {
  if (mimetype?.startsWith(ASIC_S) === true) return 'asic-s'
  if (mimetype?.startsWith(ASIC_E) === true) return 'asic-e'
  if (mimetype !== null && /^application\/(vnd\.oasis\.opendocument|epub)/.test(mimetype)) return 'zip'
  if (manifests.length > 0) return 'asic-e'
  const names = [...cades, ...xades, ...tokens].map(({ name }) => name)
  if (names.length === 0) return 'zip'
  return data.length === 1 && names.every((name) => SIMPLE.has(name)) ? 'asic-s' : 'asic-e'
}

function isKnown(name: string): boolean {
  return Object.values(PATTERNS).some((pattern) => pattern.test(name)) || OTHERS.has(name.toLowerCase())
}

export const MIMETYPE = 'mimetype'
export const ASIC_S = 'application/vnd.etsi.asic-s+zip'
export const ASIC_E = 'application/vnd.etsi.asic-e+zip'
export const PATTERNS = {
  cades: /^META-INF\/[^/]*signature[^/]*\.p7s$/i,
  xades: /^META-INF\/(?:signatures\/)?[^/]*signatures[^/]*\.xml$/i,
  manifest: /^META-INF\/[^/]*ASiC(?:Archive)?Manifest[^/]*\.xml$/i,
  token: /^META-INF\/[^/]*timestamp[^/]*\.tst$/i,
} as const
const KNOWN_MIMETYPES = /^application\/(?:vnd\.etsi\.asic-[es]\+zip|vnd\.oasis\.opendocument\.[a-z-]+|epub\+zip)$/
const SIMPLE: ReadonlySet<string> = new Set([
  'META-INF/signatures.xml',
  'META-INF/signature.p7s',
  'META-INF/timestamp.tst',
])
/** files that other specifications put there, in lower case */
const OTHERS: ReadonlySet<string> = new Set(
  ['manifest.xml', 'container.xml', 'metadata.xml', 'rights.xml', 'encryption.xml'].map((name) => `meta-inf/${name}`),
)
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024
const MAX_NAMES = 20
/** parts of them stay in memory until all are judged */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024
const MAX_ELEMENTS = 600_000
const SHARES = 3
