/** Counts the time that a thread works by itself, without the time in which it waits for an answer. */

export interface ThinkingTime {
  go: () => void
  /** may be called several times; as many `go` are needed to go on */
  pause: () => void
  end: () => void
}

/** @param used called once, when `limitMs` are used up */
export function thinkingTime(limitMs: number, used: () => void): ThinkingTime {
  let pauses = 1
  let leftMs = limitMs
  let since = 0
  let timer: NodeJS.Timeout | undefined
  return {
    go() {
      if (--pauses > 0) return
      since = performance.now()
      timer = setTimeout(used, Math.max(0, leftMs))
    },
    pause() {
      if (pauses++ > 0) return
      clearTimeout(timer)
      leftMs -= performance.now() - since
    },
    end() {
      clearTimeout(timer)
      pauses = Number.POSITIVE_INFINITY
    },
  }
}
