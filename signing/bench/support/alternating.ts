/** Two rates measured in turns of a tenth of a second, so that a slow minute of the machine hits both. */

type Work = () => Promise<unknown>

interface Sum {
  done: number
  ms: number
}

/** Operations a second of either, with so many going on at once. */
export async function alternating(lanes: number, first: Work, second: Work): Promise<[number, number]> {
  const sums: [Sum, Sum] = [
    { done: 0, ms: 0 },
    { done: 0, ms: 0 },
  ]
  for (let turn = 0; turn < TURNS; turn++) {
    // who goes first changes with every turn
    for (const which of turn % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const { done, ms } = await turnOf(lanes, which === 0 ? first : second)
      sums[which].done += done
      sums[which].ms += ms
    }
  }
  const rate = ({ done, ms }: Sum): number => (done * 1000) / ms
  return [rate(sums[0]), rate(sums[1])]
}

async function turnOf(lanes: number, work: Work): Promise<Sum> {
  const start = performance.now()
  let done = 0
  const lane = async (): Promise<void> => {
    for (; performance.now() - start < TURN_MS; done++) await work()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return { done, ms: performance.now() - start }
}

const TURNS = 30
const TURN_MS = 100
