/** Pages of rooms: the listing, and one room with its files and the small upload form. */
import type { File, Page, Room } from '../../storage/index.ts'
import type { Role } from '../../policies/index.ts'
import type { ShownSeal } from '../seal-description.ts'
import { plainName, shownName } from './file-name.ts'
import { alert, csrfField, levelBadge } from './layout.ts'
import type { Frame, PageParts } from './layout.ts'
import { versionLabel } from './version-label.ts'
import { html } from './markup.ts'
import type { Fragment } from './markup.ts'
import { sealNote } from './seal-note.ts'
import { nextPage, table } from './table.ts'
import { readableSize, readableTime } from './text.ts'

export function roomsPage(frame: Frame, rooms: Page<Room & { role: Role }>): PageParts {
  const { texts } = frame
  const rows = rooms.items.map((room) => [
    html`<a href="/rooms/${room.id}">${room.name}</a>`,
    levelBadge(frame, room.level),
    texts.rooms.roles[room.role],
    texts.rooms.states[room.state],
  ])
  const heads = [texts.rooms.name, texts.level, texts.rooms.role, texts.rooms.state]
  return {
    title: texts.rooms.title,
    body: html`<div class="ab-card">
        ${rows.length === 0 ? html`<p>${texts.rooms.empty}</p>` : table({ caption: texts.rooms.title, heads, rows })}
      </div>
      ${nextPage('/rooms', rooms.next, texts)}`,
  }
}

export interface RoomPage {
  room: Room
  files: Page<File>
  /** whether the upload form is shown */
  mayUpload: boolean
  /** what all PDFs can be sealed with in one go; null = not by this person */
  seal: ShownSeal | null
  /** largest file of the form, in bytes */
  formLimit: number
  done: 'uploaded' | 'erased' | null
  problem: string | null
}

export function roomPage(frame: Frame, page: RoomPage): PageParts {
  const { texts } = frame
  const rows = page.files.items.map((file) => fileRow(frame, file))
  const heads = [texts.room.file, texts.room.size, texts.room.changed, texts.room.version, texts.room.actions]
  const done = page.done === 'uploaded' ? texts.room.uploaded : page.done === 'erased' ? texts.file.erased : null
  return {
    title: page.room.name,
    problem: page.problem,
    body: html`<p>${levelBadge(frame, page.room.level)}</p>
      ${done === null ? null : alert('done', done)}
      ${page.room.state === 'open' ? null : alert('note', texts.room.closed)}
      <section class="ab-card" aria-labelledby="files">
        <h2 id="files">${texts.room.files}</h2>
        ${rows.length === 0 ? html`<p>${texts.room.empty}</p>` : table({ caption: texts.room.files, heads, rows })}
        ${nextPage(`/rooms/${page.room.id}`, page.files.next, texts)}
      </section>
      ${page.mayUpload ? uploadForm(frame, page) : null}
      ${page.seal === null ? null : sealForm(frame, page.room, page.seal)}
      <p><a href="/rooms">${texts.rooms.title}</a></p>`,
  }
}

function fileRow(frame: Frame, file: File): Fragment[] {
  const { texts, language } = frame
  const { current } = file
  return [
    html`<a href="/files/${file.id}">${shownName(file.name)}</a>`,
    html`<span class="ab-number">${readableSize(current.size, language)}</span>`,
    html`<span class="ab-number">${readableTime(current.createdAt, language)}</span>`,
    versionLabel(frame, current),
    current.state === 'released'
      ? html`<a href="/files/${file.id}/content" aria-label="${texts.room.downloadName(plainName(file.name))}"
          >${texts.room.download}</a
        >`
      : texts.room.held,
  ]
}

function sealForm(frame: Frame, room: Room, seal: ShownSeal): Fragment {
  const { sealBatch } = frame.texts
  return html`<section class="ab-card" aria-labelledby="seal-all">
    <h2 id="seal-all">${sealBatch.start}</h2>
    <p>${sealBatch.startIntro}</p>
    ${sealNote(
      frame,
      seal,
      html`<form method="post" action="/rooms/${room.id}/seal-batches">
        ${csrfField(frame)} <button class="ab-button" type="submit">${sealBatch.go}</button>
      </form>`,
    )}
  </section>`
}

/** The token stands before the file, so that it is known before a byte of the file is stored. */
function uploadForm(frame: Frame, page: RoomPage): Fragment {
  const { texts, language } = frame
  return html`<section class="ab-card" aria-labelledby="upload">
    <h2 id="upload">${texts.room.uploadTitle}</h2>
    <form method="post" action="/rooms/${page.room.id}/files" enctype="multipart/form-data">
      ${csrfField(frame)}
      <div class="ab-field">
        <label for="file">${texts.room.uploadLabel}</label>
        <p class="ab-hint" id="file-hint">${texts.room.uploadHint(readableSize(page.formLimit, language))}</p>
        <input class="ab-input" id="file" name="file" type="file" required aria-describedby="file-hint" />
      </div>
      <p><button class="ab-button" type="submit">${texts.room.uploadGo}</button></p>
    </form>
  </section>`
}
