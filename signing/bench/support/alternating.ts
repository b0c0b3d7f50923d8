/** Two rates measured in turns, a tenth of a second or longer, so that a slow minute of the machine hits both. */

type Work = () => Promise<unknown>

export interface Rate {
  /** operations a second */
  perSecond: number
  /** of all threads of this process; says more than time where others use the machine */
  cpuMs: number
}

/** Medians of the turns of either, with so many operations going on at once; three seconds each, five turns at least. */
export async function alternating(lanes: number, first: Work, second: Work, turnMs = TURN_MS): Promise<[Rate, Rate]> {
  const turns: [Rate[], Rate[]] = [[], []]
  for (let turn = 0; turn < Math.max(5, ALL_MS / turnMs); turn++) {
    // who goes first changes with every turn
    for (const which of turn % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      turns[which].push(await turnOf(lanes, turnMs, which === 0 ? first : second))
    }
  }
  const rate = (all: readonly Rate[]): Rate => ({
    perSecond: median(all.map(({ perSecond }) => perSecond)),
    cpuMs: median(all.map(({ cpuMs }) => cpuMs)),
  })
  return [rate(turns[0]), rate(turns[1])]
}

async function turnOf(lanes: number, turnMs: number, work: Work): Promise<Rate> {
  const start = performance.now()
  const before = process.cpuUsage()
  let done = 0
  const lane = async (): Promise<void> => {
    for (; performance.now() - start < turnMs; done++) await work()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  const { user, system } = process.cpuUsage(before)
  return { perSecond: (done * 1000) / (performance.now() - start), cpuMs: (user + system) / 1000 / done }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN
}

const TURN_MS = 100
const ALL_MS = 3000
