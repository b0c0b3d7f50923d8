/**
 * Facts about a container: ASiC-S and ASiC-E with CAdES, XAdES or time-stamps, ODF and other archives with XML signatures
 * (ETSI EN 319 162-1). Every file is looked at, and for each signature it is said which files it covers.
 */
import { evidenceOf, joinEvidence } from '../cms/carried.ts'
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import type { DocumentFacts, SignatureFacts, SignatureFault, TimestampFacts } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { numbering } from '../validation/numbering.ts'
import { unreadableSignature } from '../validation/unreadable-signature.ts'
import { readCadesFile } from './cades-facts.ts'
import type { SignatureFileFacts } from './cades-facts.ts'
import { openContainer } from './container.ts'
import type { Container } from './container.ts'
import { describeCoverage } from './coverage.ts'
import { partsOf } from './parts.ts'
import type { ContainerParts } from './parts.ts'
import { readTokenFile } from './token-facts.ts'
import type { TokenFileFacts } from './token-facts.ts'
import { readXadesFile } from './xades-facts.ts'
import type { ZipProblem } from './zip-layout.ts'

/** Never throws for what is in `source`. */
export async function readAsicFacts(source: RandomAccess): Promise<DocumentFacts> {
  try {
    return await readContainer(await openContainer(source))
  } catch (error) {
    if (!(error instanceof SigningError && error.code === 'signing/container-damaged')) throw error
    return unreadable(source, error.message)
  }
}

async function readContainer(container: Container): Promise<DocumentFacts> {
  const numbers = numbering()
  const parts = await partsOf(container)
  const context = { container, parts, numbers }
  const files: SignatureFileFacts[] = []
  for (const file of parts.cades) files.push(await readCadesFile(file, context))
  for (const file of parts.xades) files.push(await readXadesFile(file, context))
  const tokens: TokenFileFacts[] = []
  for (const file of parts.tokens) tokens.push(await readTokenFile(file, numbers.nextTimestampId(), context))
  const faults = structureFaults(container, parts)
  const signatures = files.flatMap(({ facts }) => facts.signatures).map((item) => complete(item, tokens, faults))
  const coverage = describeCoverage({ data: parts.data, signatures, files, tokens })
  return {
    format: parts.format,
    signatures: coverage.signatures,
    timestamps: [
      ...files.flatMap(({ facts }) => facts.timestamps),
      ...tokens.map(({ timestamp }) => withStructure(timestamp, faults)),
    ],
    evidence: joinEvidence([
      ...files.map(({ facts }) => facts.evidence),
      ...tokens.map(({ objects }) => evidenceOf(objects)),
    ]),
    findings: [
      ...structureFindings(container.problems),
      ...parts.findings,
      ...files.flatMap(({ facts }) => facts.findings),
      ...coverage.findings,
    ],
  }
}

/**
 * What makes a container readable in two ways, or breaks a rule of its kind, breaks every signature: one file in ASiC-S,
 * at its root, something signed in either, manifests that can be read, the list of files (META-INF/manifest.xml) in ASiC-E
 * with XAdES. Other validators refuse it without them, too.
 */
function structureFaults({ problems, byName }: Container, parts: ContainerParts): SignatureFault[] {
  const { format, data, xades, manifests } = parts
  const details = problems
    .filter(({ kind }) => kind === 'contradiction')
    .slice(0, 1)
    .map(({ detail }) => detail)
  if (format === 'asic-s' && data.length > 1) details.push('several files in an ASiC-S')
  if (format === 'asic-s' && data.some(({ name }) => name.includes('/')))
    details.push('a file in a folder of an ASiC-S')
  if (format !== 'zip' && data.length === 0) details.push('nothing but signatures in the container')
  if (manifests.some(({ manifest }) => manifest === null)) details.push('a manifest that cannot be read')
  if (format === 'asic-e' && xades.length > 0 && !byName.has(LIST_OF_FILES)) details.push(`no ${LIST_OF_FILES}`)
  return details.map((detail) => ({ code: 'format', detail }))
}

/** The signature with the faults of the container, and with the time-stamp files that are over it. */
function complete(
  signature: SignatureFacts,
  tokens: readonly TokenFileFacts[],
  faults: readonly SignatureFault[],
): SignatureFacts {
  const over = tokens.filter(({ timestamp }) => timestamp.covers.has(signature.valueId))
  return {
    ...signature,
    faults: [...faults, ...signature.faults],
    timestampIds: [...signature.timestampIds, ...over.map(({ timestamp }) => timestamp.id)],
  }
}

function withStructure(timestamp: TimestampFacts, faults: readonly SignatureFault[]): TimestampFacts {
  return {
    ...timestamp,
    faults: [...timestamp.faults, ...faults.map(({ detail }) => ({ code: 'form' as const, detail }))],
  }
}

function structureFindings(problems: readonly ZipProblem[]): Finding[] {
  return problems
    .slice(0, MAX_PROBLEMS)
    .map(({ detail }) => ({ severity: 'unclean', code: 'container-structure', detail }))
}

/** Nothing can be told; something that says it is an ASiC is reported as a broken signature. */
async function unreadable(source: RandomAccess, detail: string): Promise<DocumentFacts> {
  const start = await source.read(0, Math.min(source.size, 256))
  const evidence = { certificates: [], crls: [], ocsps: [] }
  const findings: Finding[] = [{ severity: 'unclean', code: 'container-structure', detail }]
  const base = { format: 'zip', timestamps: [], evidence, findings } as const
  if (!start.includes('application/vnd.etsi.asic-')) return { ...base, signatures: [] }
  const who = { id: 'S1', form: 'CAdES', name: '' } as const
  return { ...base, signatures: [unreadableSignature(who, start, { code: 'format', detail })] }
}

const LIST_OF_FILES = 'META-INF/manifest.xml'
const MAX_PROBLEMS = 20
