/**
 * Facts about the CAdES signatures of a container: over the one file (ASiC-S), or over a manifest that names the files
 * (ASiC-E), ETSI EN 319 162-1 §4.3.3.2, §4.4.4.
 */
import { readSignedData } from '../cms/container.ts'
import { readSignatureFile } from '../cms/document.ts'
import { readOrNull } from '../errors.ts'
import type { AlgorithmInUse, DocumentFacts, SignatureFacts, SignatureFault } from '../validation/facts.ts'
import type { Numbering } from '../validation/numbering.ts'
import { readWhole } from './container.ts'
import type { Container, ContainerFile } from './container.ts'
import type { ContainerParts } from './parts.ts'
import { followManifest } from './references.ts'

export interface SignatureFileFacts {
  facts: DocumentFacts
  /** names of the data files that each of its signatures covers, by id */
  covered: ReadonlyMap<string, readonly string[]>
}

export async function readCadesFile(
  file: ContainerFile,
  { container, parts, numbers }: { container: Container; parts: ContainerParts; numbers: Numbering },
): Promise<SignatureFileFacts> {
  const bytes = await readWhole(file, MAX_SIGNATURE_BYTES)
  const object = await signedObject(file, container, parts)
  const read = await readSignatureFile(bytes, object.content, { numbers, name: file.name })
  const added = [...object.faults, ...((await hasOtherInside(bytes, object.content)) ? [INSIDE] : [])]
  const signatures = read.signatures.map((signature) => withObject(signature, added, object.algorithms))
  const names = object.fitting.map(({ name }) => name)
  const covered = new Map(signatures.map(({ id, countersigns }) => [id, countersigns === null ? names : []]))
  return { facts: { ...read, signatures }, covered }
}

interface SignedObject {
  content: ContainerFile['content'] | null
  /** data files that it reaches, unchanged */
  fitting: readonly ContainerFile[]
  faults: readonly SignatureFault[]
  algorithms: readonly AlgorithmInUse[]
}

async function signedObject(
  file: ContainerFile,
  container: Container,
  { data, manifests, format }: ContainerParts,
): Promise<SignedObject> {
  const named = manifests.filter(({ manifest }) => manifest?.signature === file.name)
  const [first] = named
  if (named.length > 1) {
    const fault = { code: 'format', detail: 'several manifests name this signature' } as const
    return { content: null, fitting: [], faults: [fault], algorithms: [] }
  }
  if (first?.manifest) return { content: first.file.content, ...(await followManifest(first.manifest, container)) }
  const [only] = data
  const isSimple = format === 'asic-s' && only !== undefined && data.length === 1
  return { content: isSimple ? only.content : null, fitting: isSimple ? [only] : [], faults: [], algorithms: [] }
}

/** What is wrong with the files is wrong with the signature; a counter-signature is over a value alone. */
function withObject(
  signature: SignatureFacts,
  faults: readonly SignatureFault[],
  algorithms: readonly AlgorithmInUse[],
): SignatureFacts {
  if (signature.countersigns !== null) return signature
  return {
    ...signature,
    faults: [...signature.faults, ...faults],
    algorithms: [...signature.algorithms, ...algorithms],
  }
}

/** A content inside the signature is what it is over; it must be the one that the container shows. */
async function hasOtherInside(bytes: Buffer, content: SignedObject['content']): Promise<boolean> {
  const inside = contentInside(bytes)
  if (inside === null) return false
  return content?.size !== inside.length || !inside.equals(await content.read(0, content.size))
}

function contentInside(bytes: Buffer): Buffer | null {
  return readOrNull(() => readSignedData(bytes))?.content ?? null
}

const INSIDE: SignatureFault = { code: 'format', detail: 'another content is inside the signature' }
const MAX_SIGNATURE_BYTES = 64 * 1024 * 1024
