/**
 * Which files of a container each signature covers, and which nobody does.
 */
import type { SignatureFacts } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import type { SignatureFileFacts } from './cades-facts.ts'
import type { ContainerFile } from './container.ts'
import { notCovered } from './parts.ts'
import type { TokenFileFacts } from './token-facts.ts'

export interface CoverageQuestion {
  data: readonly ContainerFile[]
  signatures: readonly SignatureFacts[]
  files: readonly SignatureFileFacts[]
  tokens: readonly TokenFileFacts[]
}

/** The signatures with their scope, and what is to be said about the whole. */
export function describeCoverage({ data, signatures, files, tokens }: CoverageQuestion): {
  signatures: SignatureFacts[]
  findings: Finding[]
} {
  const names = data.map(({ name }) => name)
  const bySignature = new Map(files.flatMap(({ covered }) => [...covered]))
  const all = [...bySignature.values(), ...(signatures.length === 0 ? tokens.map(({ covered }) => covered) : [])]
  const anywhere = new Set(all.flat())
  const nowhere = names.filter((name) => !anywhere.has(name))
  const isSigned = signatures.length > 0 || tokens.length > 0
  return {
    signatures: signatures.map((signature) =>
      signature.countersigns === null
        ? withScope(signature, bySignature.get(signature.id) ?? [], names, nowhere)
        : signature,
    ),
    findings: isSigned && nowhere.length > 0 ? [notCovered(nowhere, 'unclean')] : [],
  }
}

function withScope(
  signature: SignatureFacts,
  covered: readonly string[],
  names: readonly string[],
  nowhere: readonly string[],
): SignatureFacts {
  const isBroken = signature.faults.some(({ code }) => BREAKING.has(code))
  if (isBroken) return { ...signature, scope: { kind: 'nothing', names: [], revisionBytes: null } }
  const own = names.filter((name) => covered.includes(name))
  const left = names.filter((name) => !covered.includes(name) && !nowhere.includes(name))
  const findings: Finding[] = [...signature.findings]
  if (left.length > 0) findings.push(notCovered(left, 'warning'))
  if (own.length > 1) {
    // legal, but courts want one signature for each document (ERVV § 4)
    findings.push({ severity: 'info', code: 'container-signature', detail: `${own.length} files` })
  }
  const kind = own.length === names.length ? 'whole' : 'part'
  return { ...signature, scope: { kind, names: own, revisionBytes: null }, findings }
}

const BREAKING: ReadonlySet<string> = new Set(['format', 'digest', 'value', 'data-missing', 'algorithm'])
