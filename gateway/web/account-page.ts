/** The account page: who one is, which second factor there is, and where one is signed in. */
import type { Session, User } from '../../storage/index.ts'
import { alert, csrfField } from './layout.ts'
import type { Frame, PageParts } from './layout.ts'
import { html } from './markup.ts'
import type { Fragment } from './markup.ts'
import { table } from './table.ts'
import { readableTime } from './text.ts'

export interface AccountPage {
  user: User
  sessions: readonly Session[]
  current: Session
  ended: boolean
}

export function accountPage(frame: Frame, page: AccountPage): PageParts {
  const { account } = frame.texts
  const heads = [account.kind, account.begun, account.seen, frame.texts.room.actions]
  return {
    title: account.title,
    body: html`${page.ended ? alert('done', account.ended) : null}
      <dl class="ab-facts">
        <dt>${account.name}</dt>
        <dd>${page.user.name}</dd>
        <dt>${account.email}</dt>
        <dd>${page.user.email}</dd>
        <dt>${account.factor}</dt>
        <dd>${page.user.hasTotp ? account.factorYes : account.factorNo}</dd>
      </dl>
      <section class="ab-card" aria-labelledby="sessions">
        <h2 id="sessions">${account.sessions}</h2>
        ${table({ caption: account.sessions, heads, rows: page.sessions.map((session) => sessionRow(frame, session, page.current)) })}
      </section>`,
  }
}

function sessionRow(frame: Frame, session: Session, current: Session): Fragment[] {
  const { language, texts } = frame
  const { account } = texts
  const begun = readableTime(session.createdAt, language)
  return [
    session.label === null ? account[session.kind] : `${account[session.kind]}: ${session.label}`,
    html`<span class="ab-number">${begun}</span>`,
    html`<span class="ab-number">${readableTime(session.lastSeenAt, language)}</span>`,
    session.id === current.id
      ? account.here
      : html`<form method="post" action="/account/sessions/${session.id}/end">
          ${csrfField(frame)}
          <button class="ab-button ab-button--quiet" type="submit" aria-label="${account.endName(begun)}">
            ${account.end}
          </button>
        </form>`,
  ]
}
