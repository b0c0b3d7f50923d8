/**
 * Port: who looks at the job table when.
 *
 * Carries job ids and times, never the truth: every wake-up may be lost, late or doubled. A worker that hears nothing
 * looks by itself once a minute.
 */
export interface JobQueue {
  /**
   * Asks some worker process to look at `at`. Returns at once and never throws: a wake-up that cannot be passed on is
   * logged and forgotten. Call it after the commit that made the job.
   */
  wake(jobId: string, at: Date): void
  /**
   * Starts passing wake-ups to `onWake`. The promise that `onWake` returns is settled before the next wake-up is passed
   * to this process, so that a busy process leaves them to the others. Resolves even when the queue's server is absent.
   */
  start(onWake: () => Promise<void>): Promise<void>
  /** Passes nothing on any more. Resolves within a few seconds even when the queue's server is gone. */
  stop(): Promise<void>
}
