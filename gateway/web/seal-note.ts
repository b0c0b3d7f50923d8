/** What the seal is by its certificate, said before it is made. */
import type { ShownSeal } from '../seal-description.ts'
import { alert } from './layout.ts'
import type { Frame } from './layout.ts'
import { html } from './markup.ts'
import type { Fragment } from './markup.ts'
import { readableTime } from './text.ts'

/** @param form the button, which is only shown with a seal that can be used */
export function sealNote({ texts, language }: Frame, shown: ShownSeal, form: Fragment): Fragment {
  if (shown.kind === 'unavailable') return alert('note', `${texts.file.sealUnavailable} (${shown.problem})`)
  const { kind, commonName, issuerName, notAfter } = shown.seal
  return html`<p>
      <strong>${texts.file.sealKinds[kind]}</strong>
      ${texts.file.sealKey(commonName, issuerName, readableTime(notAfter, language))}
    </p>
    ${form}`
}
