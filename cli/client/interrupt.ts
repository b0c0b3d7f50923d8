/**
 * Ctrl-C during a transfer: one line that says how far it came, then the end, at once. Nothing has to be saved: what is
 * needed to go on lies on the disk all the time.
 */
import { formatBytes, type Output, type Progress } from '../output.ts'

/** As a shell names an end by SIGINT. */
const EXIT_INTERRUPTED = 130

export interface Transfer {
  output: Pick<Output, 'remark'>
  bar: Pick<Progress, 'end' | 'update'>
  /** what bytes are called that have gone through: sent, received */
  verb: 'sent' | 'received'
  /** how to go on */
  advice: string
}

/**
 * Runs `work`; SIGINT meanwhile ends the process with 130.
 *
 * @param work is given what tells how many bytes of how many have gone through
 */
export async function interruptible<T>(
  { output, bar, verb, advice }: Transfer,
  work: (moved: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  let reached = `before anything was ${verb}`
  const stop = (): void => {
    bar.end()
    output.remark(`Stopped ${reached}; ${advice}`)
    process.exit(EXIT_INTERRUPTED)
  }
  process.once('SIGINT', stop)
  try {
    const result = await work((done, total) => {
      bar.update(done, total)
      reached = `after ${formatBytes(done)} of ${formatBytes(total)} were ${verb}`
    })
    bar.end()
    return result
  } finally {
    process.off('SIGINT', stop)
  }
}
