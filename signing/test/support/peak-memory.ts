import { readFileSync } from 'node:fs'

/**
 * The largest resident set that this process ever had. What the system counts for a process begins with that of its
 * parent; Linux also counts for the program alone.
 */
export function peakMib(): number {
  return Math.round(peakKib() / 1024)
}

function peakKib(): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1])
  } catch {
    return process.resourceUsage().maxRSS
  }
}
