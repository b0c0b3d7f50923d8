/** Pages of signing in: password, then the code of the second factor. */
import { alert, csrfField, field } from './layout.ts'
import type { Frame, PageParts } from './layout.ts'
import { html } from './markup.ts'

export interface LoginPage {
  email: string
  /** where to go afterwards */
  next: string
  problem: string | null
  /** the reader has just signed out */
  ended: boolean
}

export function loginPage(frame: Frame, page: LoginPage): PageParts {
  const { login } = frame.texts
  return {
    title: login.title,
    problem: page.problem,
    body: html`${page.ended ? alert('done', login.ended) : null}
      <p>${login.intro}</p>
      <form method="post" action="/login" class="ab-card ab-card--narrow">
        ${csrfField(frame)}
        <input type="hidden" name="next" value="${page.next}" />
        ${field({ name: 'email', label: login.email, type: 'email', value: page.email, autocomplete: 'username', invalid: page.problem !== null, maxLength: 254, first: page.email === '' })}
        ${field({ name: 'password', label: login.password, type: 'password', autocomplete: 'current-password', invalid: page.problem !== null, maxLength: 1000, first: page.email !== '' })}
        <p><button class="ab-button" type="submit">${login.go}</button></p>
      </form>
      <p>${login.help}</p>`,
  }
}

export interface CodePage {
  next: string
  /** address of an interrupted form, sent again once the code is right; null = go to `next` */
  resume: { path: string; fields: Record<string, string> } | null
  problem: string | null
  /** the account has no second factor */
  none: boolean
  /** the reader may go on without */
  optional: boolean
}

export function codePage(frame: Frame, page: CodePage): PageParts {
  const { code } = frame.texts
  if (page.none)
    return {
      title: code.title,
      body: html`${alert('note', code.none)}
        <p><a href="/rooms">${frame.texts.error.home}</a></p>`,
    }
  const fields = Object.entries(page.resume?.fields ?? {})
  return {
    title: code.title,
    problem: page.problem,
    body: html`<p>${code.intro}</p>
      <form method="post" action="/step-up" class="ab-card ab-card--narrow">
        ${csrfField(frame)}
        <input type="hidden" name="next" value="${page.next}" />
        ${page.resume === null ? null : html`<input type="hidden" name="resume" value="${page.resume.path}" />`}
        ${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
        ${field({ name: 'code', label: code.label, hint: code.confidential, autocomplete: 'one-time-code', numeric: true, invalid: page.problem !== null, maxLength: 12, first: true })}
        <p><button class="ab-button" type="submit">${code.go}</button></p>
        ${page.optional ? html`<p><a href="${page.next}">${code.later}</a></p>` : null}
      </form>`,
  }
}
