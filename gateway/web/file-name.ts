/**
 * Names of files on a page. Strangers choose them, so a name must not be able to turn the text around it:
 * it stands in a `<bdi>`, and marks that change the reading direction are shown as what they are.
 */
import { html } from './markup.ts'
import type { Markup } from './markup.ts'

const DIRECTION_MARKS = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g

/** The name as text, with its invisible marks written out. */
export function plainName(name: string): string {
  return name.replace(
    DIRECTION_MARKS,
    (mark) => `[U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
  )
}

/** The name as an element that keeps its direction to itself. */
export function shownName(name: string): Markup {
  return html`<bdi>${plainName(name)}</bdi>`
}
