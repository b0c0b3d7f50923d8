/** The simple report as plain text, for terminals and logs of a file. */
import type { Block, Summary } from './summary.ts'

/** Lines of at most about 100 characters where the words allow it. */
export function summaryText(summary: Summary): string {
  const { headline } = summary
  const parts = [
    `${headline.title.toUpperCase()}  ${headline.sentence}`,
    linesText(summary.about),
    ...summary.blocks.map(blockText),
    ...(summary.remarks.length === 0 ? [] : [summary.remarks.map((remark) => `! ${remark}`).join('\n')]),
    summary.disclaimer,
  ]
  return parts.join('\n\n')
}

function blockText({ title, mood, lines }: Block): string {
  return `${SIGNS[mood]} ${title}\n${linesText(lines)}`
}

function linesText(lines: Summary['about']): string {
  const width = Math.max(0, ...lines.map(({ label }) => label.length))
  return lines.map(({ label, text }) => `  ${label.padEnd(width)}  ${text}`).join('\n')
}

const SIGNS = { good: '[+]', bad: '[x]', open: '[?]' } as const
