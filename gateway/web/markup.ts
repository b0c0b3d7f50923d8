/**
 * HTML as values: what a template inserts is escaped unless it is itself markup made here.
 *
 * The inserted places stand between tags or inside double-quoted attributes; templates never build tag or attribute
 * names, styles or scripts out of values.
 */

/** Text that is HTML already. Only {@link html} and {@link trusted} make it. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Fragment = Markup | string | number | null | undefined | false | readonly Fragment[]

/** Template tag: html`<p>${text}</p>` escapes `text`. */
export function html(parts: TemplateStringsArray, ...values: Fragment[]): Markup {
  return new Markup(parts.map((part, index) => part + render(values[index])).join(''))
}

/** Declares text as markup. For markup that a library of ours made, such as the picture of a QR code. */
export function trusted(text: string): Markup {
  return new Markup(text)
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function render(value: Fragment): string {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map(render).join('')
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
}
