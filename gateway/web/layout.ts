/**
 * The frame of every page: language, title, header, main part. No script, no style attribute, one stylesheet.
 *
 * Class names are our own (`ab-…`), so that another style can be put under the same markup.
 */
import type { Level, Levels } from '../../policies/index.ts'
import { html } from './markup.ts'
import type { Fragment, Markup } from './markup.ts'
import { LANGUAGES, wording } from './text.ts'
import type { Wording } from './text.ts'

/** What every page needs beside its own content. */
export interface Frame extends Wording {
  /** name of the signed-in person; null = nobody is signed in */
  person: string | null
  /** token for the forms of this page */
  csrf: string
  /** where the language switch leads back to */
  path: string
  /** address of the stylesheet, with its fingerprint */
  stylesheet: string
  levels: Levels
}

export interface PageParts {
  title: string
  /** stands before the title in the browser's tab when something has to be corrected */
  problem?: string | null
  body: Fragment
}

/** A whole HTML document. */
export function layout(frame: Frame, parts: PageParts): string {
  const { texts, language } = frame
  const title = `${parts.problem ? `${texts.problemTitle} – ` : ''}${parts.title} – ${texts.brand}`
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="stylesheet" href="${frame.stylesheet}" />
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
      </head>
      <body>
        <a class="ab-skip" href="#main">${texts.skip}</a>
        ${header(frame)}
        <main id="main" class="ab-main" tabindex="-1">
          <h1>${parts.title}</h1>
          ${parts.problem ? alert('problem', parts.problem) : null} ${parts.body}
        </main>
        <footer class="ab-footer"><p>${texts.footer}</p></footer>
      </body>
    </html> `.text
}

function header(frame: Frame): Markup {
  const { texts } = frame
  return html`<header class="ab-header">
    <div class="ab-header__bar">
      <p class="ab-brand"><a href="/">${texts.brand}</a><span>${texts.brandLine}</span></p>
      ${languageSwitch(frame)}
    </div>
    ${
      frame.person === null
        ? null
        : html`<nav class="ab-nav" aria-label="${texts.nav.label}">
            <ul>
              <li><a href="/rooms" ${current(frame, '/rooms')}>${texts.nav.rooms}</a></li>
              <li><a href="/account" ${current(frame, '/account')}>${texts.nav.account}</a></li>
            </ul>
            <form method="post" action="/logout" class="ab-inline">
              ${csrfField(frame)}
              <span class="ab-person">${texts.signedInAs(frame.person)}</span>
              <button class="ab-button ab-button--quiet" type="submit">${texts.nav.logout}</button>
            </form>
          </nav>`
    }
  </header>`
}

function current(frame: Frame, path: string): Fragment {
  return frame.path === path ? html` aria-current="page"` : null
}

function languageSwitch(frame: Frame): Markup {
  const others = LANGUAGES.filter((language) => language !== frame.language)
  return html`<form method="post" action="/language" class="ab-inline" aria-label="${frame.texts.language.switch}">
    ${csrfField(frame)}
    <input type="hidden" name="next" value="${frame.path}" />
    ${others.map(
      (language) =>
        html`<button
          class="ab-button ab-button--quiet"
          type="submit"
          name="language"
          value="${language}"
          lang="${language}"
        >
          ${wording(language).texts.language.name}
        </button>`,
    )}
  </form>`
}

/** The hidden field without which no form of ours is accepted. */
export function csrfField(frame: Pick<Frame, 'csrf'>): Markup {
  return html`<input type="hidden" name="csrf" value="${frame.csrf}" />`
}

/** A message box; `problem` is announced at once, `done` politely. */
export function alert(kind: 'problem' | 'done' | 'note', text: Fragment): Markup {
  const role = kind === 'problem' ? 'alert' : 'status'
  return html`<div class="ab-alert ab-alert--${kind}" role="${role}"><p>${text}</p></div>`
}

export interface FieldOptions {
  name: string
  label: string
  type?: 'text' | 'email' | 'password'
  value?: string
  hint?: string
  autocomplete: string
  /** digits only: a number pad on phones */
  numeric?: boolean
  invalid?: boolean
  /** receives the focus when the page opens */
  first?: boolean
  maxLength?: number
  /** shown, cannot be changed */
  fixed?: boolean
}

/** A labelled input with its hint tied to it. */
export function field(options: FieldOptions): Markup {
  const { name, label, type = 'text', value = '', hint, invalid, first } = options
  return html`<div class="ab-field">
    <label for="${name}">${label}</label>
    ${hint ? html`<p class="ab-hint" id="${name}-hint">${hint}</p>` : null}
    <input
      class="ab-input"
      id="${name}"
      name="${name}"
      type="${type}"
      value="${value}"
      autocomplete="${options.autocomplete}"
      required${
        hint ? html` aria-describedby="${name}-hint"` : null
      }${invalid ? html` aria-invalid="true"` : null}${options.numeric ? html` inputmode="numeric"` : null}${
        options.maxLength ? html` maxlength="${options.maxLength}"` : null
      }${first ? html` autofocus` : null}${options.fixed ? html` readonly` : null}
    />
  </div>`
}

/** The protection level in words; colour only adds to them. */
export function levelBadge(frame: Pick<Frame, 'levels' | 'language' | 'texts'>, level: string): Markup {
  const label = frame.levels.byId.get(level as Level)?.label[frame.language] ?? level
  const rank = frame.levels.byId.get(level as Level)?.rank ?? 4
  return html`<span class="ab-level ab-level--${rank}"
    ><span class="ab-visually-hidden">${frame.texts.level}: </span>${label}</span
  >`
}
