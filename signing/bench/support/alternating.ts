/** Two rates measured in turns of a tenth of a second, so that a slow minute of the machine hits both. */

type Work = () => Promise<unknown>

interface Sum {
  done: number
  ms: number
  cpuMs: number
}

export interface Rate {
  /** operations a second */
  perSecond: number
  /** of all threads of this process; says more than time where others use the machine */
  cpuMs: number
}

/** Rates of either, with so many going on at once; three seconds each. */
export async function alternating(lanes: number, first: Work, second: Work, turnMs = TURN_MS): Promise<[Rate, Rate]> {
  const sums: [Sum, Sum] = [
    { done: 0, ms: 0, cpuMs: 0 },
    { done: 0, ms: 0, cpuMs: 0 },
  ]
  for (let turn = 0; turn < TURNS * (TURN_MS / turnMs); turn++) {
    // who goes first changes with every turn
    for (const which of turn % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const { done, ms, cpuMs } = await turnOf(lanes, turnMs, which === 0 ? first : second)
      sums[which].done += done
      sums[which].ms += ms
      sums[which].cpuMs += cpuMs
    }
  }
  const rate = ({ done, ms, cpuMs }: Sum): Rate => ({ perSecond: (done * 1000) / ms, cpuMs: cpuMs / done })
  return [rate(sums[0]), rate(sums[1])]
}

async function turnOf(lanes: number, turnMs: number, work: Work): Promise<Sum> {
  const start = performance.now()
  const before = process.cpuUsage()
  let done = 0
  const lane = async (): Promise<void> => {
    for (; performance.now() - start < turnMs; done++) await work()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  const { user, system } = process.cpuUsage(before)
  return { done, ms: performance.now() - start, cpuMs: (user + system) / 1000 }
}

const TURNS = 30
const TURN_MS = 100
