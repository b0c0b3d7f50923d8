/**
 * Numbers of a bench: medians over interleaved rounds, and one line per figure with its target beside it.
 */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[middle - 1] ?? NaN, sorted[middle] ?? NaN]
  return sorted.length % 2 === 1 ? high : (low + high) / 2
}

/** Runs every contender once per round, in turn, so that a slow minute of the machine meets all of them. */
export async function interleave<Name extends string>(
  rounds: number,
  contenders: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contenders) as Name[]
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? names : names.toReversed()
    for (const name of order) values[name].push(await contenders[name]())
  }
  return values
}

/** The median of our ratios to the peer within each round, beside its target; null = only for the record. */
export function printRatio(
  title: string,
  ours: readonly number[],
  peer: readonly number[],
  target: number | null,
): void {
  const ratios = ours.map((value, round) => value / (peer[round] ?? NaN))
  const ratio = median(ratios)
  const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
  const verdict = target === null ? '' : `; target ${target.toFixed(2)} x, ${ratio >= target ? 'met' : 'MISSED'}`
  print(`${title}: ${ratio.toFixed(2)} x (${spread}${verdict})`)
}

export function printFigure(title: string, values: readonly number[], unit: string): void {
  const all = values.map((value) => round(value)).join(', ')
  print(`  ${title.padEnd(58)} ${round(median(values)).padStart(8)} ${unit}${values.length > 1 ? `   (${all})` : ''}`)
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
