/** The page that says what the signatures of a file are worth: headline first, then each signature, then the details. */
import { detail, summarize } from '../../signing/index.ts'
import type { DetailSection, ReportBlock, ReportLine, ReportSummary } from '../../signing/index.ts'
import type { FileReport, FileValidation } from '../validation.ts'
import { plainName } from './file-name.ts'
import type { Frame, PageParts } from './layout.ts'
import { html } from './markup.ts'
import type { Fragment, Markup } from './markup.ts'

export function signaturesPage(frame: Frame, { file, version, reports }: FileValidation): PageParts {
  const { texts } = frame
  const number = String(version.number)
  return {
    title: texts.signatures.title(plainName(file.name)),
    body: html`<p><a href="/files/${file.id}">${texts.signatures.back(plainName(file.name), number)}</a></p>
      ${reports.map((report, index) =>
        reportSection(frame, report, {
          index,
          link: (format) =>
            `/files/${file.id}/signatures/report?version=${number}&of=${String(index)}&format=${format}`,
        }),
      )}`,
  }
}

interface Place {
  index: number
  link: (format: string) => string
}

function reportSection(frame: Frame, { name, report }: FileReport, { index, link }: Place): Markup {
  const { texts, language } = frame
  const summary = summarize(report, language)
  const id = `report-${String(index)}`
  return html`<section class="ab-card" aria-labelledby="${id}">
    <h2 id="${id}">${index === 0 ? texts.signatures.inFile : texts.signatures.beside(plainName(name))}</h2>
    ${headline(summary)} ${summary.remarks.map((remark) => html`<p class="ab-verdict__remark">${remark}</p>`)}
    ${summary.blocks.map(blockSection)} ${definitions(summary.about)}
    <p>
      <a href="${link('pdf')}">${texts.signatures.asPdf}</a> · <a href="${link('json')}">${texts.signatures.asJson}</a>
      ${summary.blocks.length === 0 ? null : html` · <a href="${link('etsi')}">${texts.signatures.asEtsi}</a>`}
    </p>
    <details>
      <summary>${texts.signatures.details}</summary>
      ${detail(report, language).map(detailSection)}
    </details>
    <p class="ab-hint">${summary.disclaimer}</p>
  </section>`
}

/** The words say it; the colour of the bar only repeats it. */
function headline({ headline: { kind, title, sentence } }: ReportSummary): Markup {
  return html`<div class="ab-verdict ab-verdict--${kind}" role="status">
    <p><strong>${title}</strong> ${sentence}</p>
  </div>`
}

function blockSection({ title, mood, lines }: ReportBlock): Markup {
  return html`<h3 class="ab-verdict__block ab-verdict__block--${mood}">${title}</h3>
    ${definitions(lines)}`
}

function detailSection({ title, lines }: DetailSection): Fragment {
  return lines.length === 0
    ? null
    : html`<h3>${title}</h3>
        ${definitions(lines)}`
}

function definitions(lines: readonly ReportLine[]): Markup {
  return html`<dl class="ab-facts">
    ${lines.map(
      ({ label, text }) =>
        html`<dt>${label}</dt>
          <dd>${text}</dd>`,
    )}
  </dl>`
}
