/** Waits for what another part of the program is about to do, by looking at it; the test's own time limit ends it. */
import { setTimeout as sleep } from 'node:timers/promises'

export async function until(claim: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await claim())) await sleep(5)
}

/** Lets everything run that is ready now, and what that makes ready, for about so long. For proving that nothing happens. */
export async function settle(ms = 150): Promise<void> {
  await sleep(ms)
}
