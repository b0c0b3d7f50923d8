/**
 * Facts about the XML signatures of a container: their references name its files (ETSI EN 319 162-1 §4.4.3; ODF, EPUB).
 */
import type { RandomAccess } from '../random-access.ts'
import type { Numbering } from '../validation/numbering.ts'
import { unreadableSignature } from '../validation/unreadable-signature.ts'
import { readXadesFacts } from '../xades/document.ts'
import type { SignatureFileFacts } from './cades-facts.ts'
import { fileAt, readWhole } from './container.ts'
import type { Container, ContainerFile } from './container.ts'
import type { ContainerParts } from './parts.ts'

export async function readXadesFile(
  file: ContainerFile,
  { container, parts, numbers }: { container: Container; parts: ContainerParts; numbers: Numbering },
): Promise<SignatureFileFacts> {
  const bytes = await readWhole(file, MAX_SIGNATURE_BYTES)
  const detached = (uri: string): RandomAccess | null => fileAt(container, uri)?.content ?? null
  const facts = await readXadesFacts(bytes, detached, { numbers, name: file.name, maxElements: parts.maxElements })
  if (facts.signatures.length === 0) {
    const fault = { code: 'format', detail: 'a signature file without a signature' } as const
    const who = { id: numbers.nextSignatureId(), form: 'XAdES', name: file.name } as const
    return { facts: { ...facts, signatures: [unreadableSignature(who, bytes, fault)] }, covered: new Map() }
  }
  const covered = new Map(
    facts.signatures.map(({ id, scope }) => [id, scope.names.flatMap((name) => fileAt(container, name)?.name ?? [])]),
  )
  return { facts, covered }
}

const MAX_SIGNATURE_BYTES = 64 * 1024 * 1024
