/** The page of a refusal or fault: what, what helps, and the number that finds it in the log. */
import type { Problem } from '../http/problem.ts'
import type { Frame, PageParts } from './layout.ts'
import { html } from './markup.ts'

export function errorPage(frame: Frame, problem: Problem, requestId: string): PageParts {
  const { error, reference, locked } = frame.texts
  const wait = problem.code === 'gateway/locked-out' ? waitText(problem.retryAfterSeconds, locked) : null
  return {
    title: problem.title[frame.language],
    body: html`<div class="ab-card">
      <p>${wait ?? error.hints[problem.code] ?? error.help}</p>
      <p class="ab-hint">${reference(requestId)}</p>
      <p><a href="/">${error.home}</a></p>
    </div>`,
  }
}

/** How long to wait after too many tries; null = until an operator unlocks. */
export function waitText(seconds: number | null, locked: Frame['texts']['locked']): string {
  return seconds === null ? locked.closed : locked.wait(Math.ceil(seconds / 60))
}
