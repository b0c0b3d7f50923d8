/** The page of a batch: how far it is, how long it will take, what could not be sealed, and where its protocol is. */
import type { FileId, Room, SealBatch } from '../../storage/index.ts'
import { plainName } from './file-name.ts'
import { alert, csrfField, levelBadge } from './layout.ts'
import type { Frame, PageParts } from './layout.ts'
import { html } from './markup.ts'
import type { Fragment } from './markup.ts'
import { table } from './table.ts'
import { readableTime } from './text.ts'

export interface SealBatchPage {
  batch: SealBatch
  room: Room
  failures: readonly { fileId: FileId; name: string; error: string | null }[]
  mayCancel: boolean
  now: Date
}

export function sealBatchPage(frame: Frame, { batch, room, failures, mayCancel, now }: SealBatchPage): PageParts {
  const { texts, language } = frame
  const { sealBatch } = texts
  const done = batch.sealed + batch.failed
  return {
    title: sealBatch.title,
    body: html`<p>${levelBadge(frame, room.level)} <a href="/rooms/${room.id}">${room.name}</a></p>
      <section class="ab-card" aria-labelledby="progress">
        <h2 id="progress">${sealBatch.states[batch.state]}</h2>
        <p>
          <label for="bar">${sealBatch.progress(done, batch.total)}</label>
          <progress id="bar" class="ab-progress" max="${batch.total}" value="${done}"></progress>
        </p>
        <p>
          ${sealBatch.counts(batch.sealed, batch.failed)} ${sealBatch.begun(readableTime(batch.createdAt, language))}
        </p>
        ${batch.state === 'running' ? running(frame, { batch, mayCancel, now, done }) : null}
        ${
          batch.protocolFileId === null
            ? null
            : alert('done', html`<a href="/files/${batch.protocolFileId}">${sealBatch.protocol}</a>`)
        }
      </section>
      ${failures.length === 0 ? null : failureTable(frame, failures)}`,
  }
}

/** The page does not reload by itself: that would take a screen reader back to its start again and again. */
function running(
  { texts: { sealBatch }, csrf }: Frame,
  { batch, mayCancel, now, done }: Pick<SealBatchPage, 'batch' | 'mayCancel' | 'now'> & { done: number },
): Fragment {
  const seconds = (now.getTime() - batch.createdAt.getTime()) / 1000
  const left = done === 0 ? null : Math.ceil(((batch.total - done) * seconds) / done / 60)
  return html`${done === 0 || seconds <= 0 ? null : html`<p>${sealBatch.speed((done * 60) / seconds, left ?? 0)}</p>`}
    <p><a class="ab-button" href="/seal-batches/${batch.id}">${sealBatch.refresh}</a></p>
    ${
      mayCancel
        ? html`<form method="post" action="/seal-batches/${batch.id}/cancel">
            ${csrfField({ csrf })}
            <button class="ab-button ab-button--danger" type="submit">${sealBatch.cancel}</button>
          </form>`
        : null
    }`
}

function failureTable({ texts }: Frame, failures: SealBatchPage['failures']): Fragment {
  const { sealBatch } = texts
  return html`<section class="ab-card" aria-labelledby="failures">
    <h2 id="failures">${sealBatch.failures}</h2>
    ${table({
      caption: sealBatch.failures,
      heads: [texts.room.file, sealBatch.reason],
      rows: failures.map(({ fileId, name, error }) => [
        html`<a href="/files/${fileId}">${plainName(name)}</a>`,
        texts.error.hints[error ?? ''] ?? error ?? '–',
      ]),
    })}
  </section>`
}
