/** Pages of an invitation: the code of the second channel, then password and second factor. */
import { csrfField, field } from './layout.ts'
import type { Frame, PageParts } from './layout.ts'
import { html, trusted } from './markup.ts'
import type { Fragment } from './markup.ts'

/** The first page where the invitation has a code. */
export function invitationCodePage(frame: Frame, page: { token: string; problem: string | null }): PageParts {
  const { invitation } = frame.texts
  return {
    title: invitation.title,
    problem: page.problem,
    body: html`<p>${invitation.codeIntro}</p>
      <form method="post" action="/invitation/${page.token}/code" class="ab-card ab-card--narrow">
        ${csrfField(frame)}
        ${field({ name: 'invitationCode', label: invitation.codeLabel, autocomplete: 'off', numeric: true, invalid: page.problem !== null, maxLength: 12, first: true })}
        <p><button class="ab-button" type="submit">${invitation.codeGo}</button></p>
      </form>`,
  }
}

export interface AcceptPage {
  token: string
  /** carried along, because it is checked once more when the form is sent */
  invitationCode: string
  /** null for the first administrator, who says who they are */
  person: { name: string; email: string } | null
  entered: { name: string; email: string }
  /** null = no second factor is set up here */
  totp: { secret: string; picture: string } | null
  problem: string | null
}

/** The page that sets up the account. */
export function acceptPage(frame: Frame, page: AcceptPage): PageParts {
  const { invitation } = frame.texts
  return {
    title: page.person === null ? invitation.firstTitle : invitation.title,
    problem: page.problem,
    body: html`<p>${page.person === null ? invitation.firstIntro : invitation.for(page.person.name)}</p>
      <form method="post" action="/invitation/${page.token}" class="ab-card ab-card--narrow">
        ${csrfField(frame)}
        <input type="hidden" name="invitationCode" value="${page.invitationCode}" />
        ${who(frame, page)}
        ${field({ name: 'password', label: invitation.password, type: 'password', hint: invitation.passwordHint, autocomplete: 'new-password', maxLength: 1000 })}
        ${field({ name: 'repeat', label: invitation.repeat, type: 'password', autocomplete: 'new-password', maxLength: 1000 })}
        ${totpPart(frame, page.totp)}
        <p><button class="ab-button" type="submit">${invitation.go}</button></p>
      </form>`,
  }
}

function who(frame: Frame, page: AcceptPage): Fragment {
  const { invitation } = frame.texts
  if (page.person === null) {
    return [
      field({ name: 'name', label: invitation.name, value: page.entered.name, autocomplete: 'name', maxLength: 200 }),
      field({
        name: 'email',
        label: invitation.email,
        type: 'email',
        value: page.entered.email,
        autocomplete: 'username',
        maxLength: 254,
      }),
    ]
  }
  // A field, not text: a password manager takes the account's name from it. What is sent back is not read.
  const email = { name: 'username', label: invitation.email, type: 'email', autocomplete: 'username' } as const
  return field({ ...email, value: page.person.email, fixed: true })
}

function totpPart(frame: Frame, totp: AcceptPage['totp']): Fragment {
  if (totp === null) return null
  const { invitation } = frame.texts
  const groups = totp.secret.match(/.{1,4}/g)?.join(' ') ?? ''
  return html`<h2>${invitation.totpTitle}</h2>
    <p>${invitation.totpIntro}</p>
    <div class="ab-qr" role="img" aria-label="${invitation.qr}">${trusted(totp.picture)}</div>
    <p>${invitation.secret}<br /><span class="ab-code">${groups}</span></p>
    ${field({ name: 'code', label: invitation.totpLabel, autocomplete: 'one-time-code', numeric: true, maxLength: 12 })}`
}
