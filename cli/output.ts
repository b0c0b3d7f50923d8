/**
 * What commands say: tables or JSON on standard output, one-line remarks and progress on standard error.
 * Text from people is shown with control characters and direction marks escaped.
 */
export interface Column<T> {
  title: string
  value: (row: T) => string | number | boolean | null
}

export interface Output {
  /** rows as a table, or as one JSON array of `rows` as they are */
  table<T extends object>(rows: readonly T[], columns: readonly Column<T>[]): void
  /** one thing: `text` for people, `value` for --json */
  say(text: string, value: object): void
  /** a remark for people only, on standard error */
  remark(text: string): void
  progress(label: string, total: number | null): Progress
}

export interface Progress {
  /** bytes done; a total that became known replaces the one of the start */
  update: (done: number, total?: number) => void
  end: () => void
}

/** Where text goes: standard output and standard error, or what a test gives. */
export interface Streams {
  write: (text: string) => void
  remark: (text: string) => void
}

export interface OutputDeps extends Streams {
  json: boolean
  interactive: boolean
  clock: () => Date
}

export function createOutput(deps: OutputDeps): Output {
  const { write, remark } = deps
  return {
    table: (rows, columns) => {
      write(deps.json ? `${toJson(rows)}\n` : drawTable(rows, columns))
    },
    say: (text, value) => {
      write(deps.json ? `${toJson(value)}\n` : `${text}\n`)
    },
    remark: (text) => {
      remark(`${text}\n`)
    },
    progress: (label, total) =>
      deps.interactive && !deps.json
        ? liveProgress(label, total, { clock: deps.clock, write: remark })
        : silentProgress,
  }
}

/** `text` with everything escaped that would move the cursor, reorder the line or hide itself. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`)
}

/** 1536 → `1.5 KiB` */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? String(value) : value.toFixed(1)} ${units[unit] ?? 'B'}`
}

/** 75 → `1:15`, 3700 → `1:01:40` */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const two = (n: number): string => String(n).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** One line of progress: bar, share, speed and time left; `elapsed` in seconds. */
export function progressLine(label: string, done: number, total: number | null, elapsed: number): string {
  const speed = elapsed > 0 ? done / elapsed : 0
  const rate = `${formatBytes(Math.round(speed))}/s`
  if (total === null || total === 0) return `${label} ${formatBytes(done)} ${rate}`
  const share = Math.min(1, done / total)
  const filled = Math.round(share * 24)
  const left = speed > 0 ? formatSeconds((total - done) / speed) : '-:--'
  const bar = `${'#'.repeat(filled)}${'.'.repeat(24 - filled)}`
  return `${label} [${bar}] ${String(Math.floor(share * 100)).padStart(3)} % ${formatBytes(done)}/${formatBytes(total)} ${rate} ${left} left`
}

const silentProgress: Progress = { update: () => undefined, end: () => undefined }

const REDRAW_AFTER_MS = 100

function liveProgress(
  label: string,
  total: number | null,
  deps: { clock: () => Date; write: (text: string) => void },
): Progress {
  const started = deps.clock().getTime()
  let first: number | null = null
  let drawn = 0
  let latest = 0
  let all = total
  const draw = (now: number): void => {
    drawn = now
    const moved = latest - (first ?? 0)
    const elapsed = (now - started) / 1000
    const speedBase = latest > 0 ? (elapsed * latest) / Math.max(1, moved) : elapsed
    deps.write(`\r\u001b[K${progressLine(label, latest, all, speedBase)}`)
  }
  return {
    update: (done, known) => {
      first ??= done
      all = known ?? all
      latest = done
      const now = deps.clock().getTime()
      if (now - drawn >= REDRAW_AFTER_MS) draw(now)
    },
    end: () => {
      draw(deps.clock().getTime())
      deps.write('\n')
    },
  }
}

function drawTable<T extends object>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const cells = rows.map((row) => columns.map((column) => visible(String(column.value(row) ?? '-'))))
  const titles = columns.map((column) => column.title)
  const widths = titles.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const lineOf = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  return [titles, ...cells].map((row) => `${lineOf(row)}\n`).join('')
}

function toJson(value: unknown): string {
  return JSON.stringify(value)
}
