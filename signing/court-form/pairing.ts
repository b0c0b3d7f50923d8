/**
 * Which file a signature beside it belongs to, by its name: `Klage.pdf.p7s` or `Klage.p7s` for `Klage.pdf`.
 */
import { SIGNATURE_ENDINGS, nameEnding, nameKey } from '../../policies/index.ts'

/** Indexes of the files that the signature may be over, the likeliest first; none: it is an orphan. */
export type Pairing = ReadonlyMap<number, readonly number[]>

/**
 * @param files `isSignature`: it cannot be what another one is over
 * @returns for every signature by its index
 */
export function pairSignatures(files: readonly { name: string; isSignature: boolean }[]): Pairing {
  const byName = new Map<string, number[]>()
  const byStem = new Map<string, number[]>()
  for (const [index, { name, isSignature }] of files.entries()) {
    if (isSignature) continue
    add(byName, nameKey(name), index)
    add(byStem, stemOf(nameKey(name)), index)
  }
  const pairs = new Map<number, readonly number[]>()
  for (const [index, { name, isSignature }] of files.entries()) {
    if (!isSignature) continue
    const key = nameKey(name)
    // a signature with its content inside may be called by any ending: `Klage.p7m`
    const over = SIGNATURE_ENDINGS.has(nameEnding(name)) ? (byName.get(stemOf(key)) ?? []) : []
    const likely = over.length > 0 ? over : inOrder(byStem.get(stemOf(key)) ?? [], files)
    pairs.set(index, likely.slice(0, MAX_CANDIDATES))
  }
  return pairs
}

/** Of several files with this stem a PDF is meant first. */
function inOrder(indexes: readonly number[], files: readonly { name: string }[]): number[] {
  const isPdf = (index: number): boolean => nameEnding(files[index]?.name ?? '') === 'pdf'
  return [...indexes.filter(isPdf), ...indexes.filter((index) => !isPdf(index))]
}

const stemOf = (key: string): string => key.replace(/\.[^.]*$/, '')

function add(map: Map<string, number[]>, key: string, index: number): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [index])
  else known.push(index)
}

const MAX_CANDIDATES = 4
