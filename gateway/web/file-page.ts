/** The page of one file: its versions, the seal, and erasing it. */
import type { File, FileVersion, Room } from '../../storage/index.ts'
import type { ShownSeal } from '../seal-description.ts'
import { plainName } from './file-name.ts'
import { alert, csrfField, levelBadge } from './layout.ts'
import type { Frame, PageParts } from './layout.ts'
import { versionLabel } from './version-label.ts'
import { html } from './markup.ts'
import type { Fragment } from './markup.ts'
import { sealNote } from './seal-note.ts'
import { table } from './table.ts'
import { readableSize, readableTime } from './text.ts'

export interface FilePage {
  file: File
  room: Room
  versions: readonly FileVersion[]
  /** null = not by this person, or not this file */
  seal: ShownSeal | null
  mayErase: boolean
  sealed: boolean
  problem: string | null
}

export function filePage(frame: Frame, page: FilePage): PageParts {
  const { texts } = frame
  const heads = [
    texts.file.number,
    texts.room.size,
    texts.file.created,
    texts.rooms.state,
    texts.file.sha256,
    texts.room.actions,
  ]
  return {
    title: plainName(page.file.name),
    problem: page.problem,
    body: html`<p>${levelBadge(frame, page.room.level)} <a href="/rooms/${page.room.id}">${page.room.name}</a></p>
      ${page.sealed ? alert('done', texts.file.sealDone) : null}
      <section class="ab-card" aria-labelledby="versions">
        <h2 id="versions">${texts.file.versions}</h2>
        ${table({ caption: texts.file.versions, heads, rows: page.versions.map((version) => versionRow(frame, page.file, version)) })}
      </section>
      ${page.seal === null ? null : sealForm(frame, page.file, page.seal)}
      ${page.mayErase ? eraseForm(frame, page.file) : null}`,
  }
}

function versionRow(frame: Frame, file: File, version: FileVersion): Fragment[] {
  const { texts, language } = frame
  return [
    versionLabel(frame, version),
    html`<span class="ab-number">${readableSize(version.size, language)}</span>`,
    html`<span class="ab-number">${readableTime(version.createdAt, language)}</span>`,
    texts.file.states[version.state],
    html`<span class="ab-code">${version.sha256 ?? '–'}</span>`,
    version.state === 'released'
      ? html`<a
            href="/files/${file.id}/content?version=${version.number}"
            aria-label="${texts.room.downloadName(`${plainName(file.name)} (${String(version.number)})`)}"
            >${texts.room.download}</a
          >
          <a
            href="/files/${file.id}/signatures?version=${version.number}"
            aria-label="${texts.signatures.checkName(`${plainName(file.name)} (${String(version.number)})`)}"
            >${texts.signatures.check}</a
          >`
      : null,
  ]
}

function sealForm(frame: Frame, file: File, seal: ShownSeal): Fragment {
  const { texts } = frame
  return html`<section class="ab-card" aria-labelledby="seal">
    <h2 id="seal">${texts.file.sealTitle}</h2>
    <p>${texts.file.sealIntro}</p>
    ${sealNote(
      frame,
      seal,
      html`<form method="post" action="/files/${file.id}/seal">
        ${csrfField(frame)} ${optionalField('reason', texts.file.sealReason)}
        ${optionalField('location', texts.file.sealLocation)}
        <button class="ab-button" type="submit">${texts.file.seal}</button>
      </form>`,
    )}
  </section>`
}

function optionalField(name: string, label: string): Fragment {
  return html`<div class="ab-field">
    <label for="${name}">${label}</label>
    <input class="ab-input" id="${name}" name="${name}" type="text" maxlength="200" autocomplete="off" />
  </div>`
}

function eraseForm(frame: Frame, file: File): Fragment {
  const { texts } = frame
  return html`<section class="ab-card" aria-labelledby="erase">
    <h2 id="erase">${texts.file.eraseTitle}</h2>
    <p>${texts.file.eraseIntro}</p>
    <form method="post" action="/files/${file.id}/erase">
      ${csrfField(frame)}
      <div class="ab-field ab-field--check">
        <input id="confirm" name="confirm" type="checkbox" value="yes" required />
        <label for="confirm">${texts.file.eraseConfirm}</label>
      </div>
      <button class="ab-button ab-button--danger" type="submit">${texts.file.erase}</button>
    </form>
  </section>`
}
