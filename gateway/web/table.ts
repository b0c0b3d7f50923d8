/**
 * Tables that become lists on narrow screens. The roles repeat what the elements mean, because a table laid out as
 * blocks would lose its meaning for assistive technology.
 */
import { html } from './markup.ts'
import type { Fragment, Markup } from './markup.ts'

export interface TableParts {
  caption: string
  heads: readonly string[]
  /** the first cell of each row is its heading */
  rows: readonly (readonly Fragment[])[]
}

export function table({ caption, heads, rows }: TableParts): Markup {
  return html`<table class="ab-table" role="table">
    <caption class="ab-visually-hidden">
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${heads.map((head) => html`<th scope="col" role="columnheader">${head}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (cells) =>
          html`<tr role="row">
            ${cells.map((cell, index) =>
              index === 0
                ? html`<th scope="row" role="rowheader">${cell}</th>`
                : html`<td role="cell" data-label="${heads[index]}">${cell}</td>`,
            )}
          </tr>`,
      )}
    </tbody>
  </table>`
}

/** The link to the next page of a listing; nothing on the last one. */
export function nextPage(path: string, next: string | null, texts: { next: string; page: string }): Fragment {
  if (next === null) return null
  return html`<nav aria-label="${texts.page}">
    <p><a href="${path}?after=${encodeURIComponent(next)}" rel="next">${texts.next}</a></p>
  </nav>`
}
