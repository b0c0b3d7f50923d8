import assert from 'node:assert/strict'
import { createOutput, formatBytes, formatSeconds, progressLine, visible } from '../output.ts'

function setup(options: { json?: boolean; interactive?: boolean } = {}) {
  let now = 0
  const written: string[] = []
  const remarked: string[] = []
  const output = createOutput({
    json: options.json ?? false,
    interactive: options.interactive ?? false,
    clock: () => new Date(now),
    write: (text) => void written.push(text),
    remark: (text) => void remarked.push(text),
  })
  return {
    output,
    tick: (ms: number) => {
      now += ms
    },
    written: () => written.join(''),
    remarked: () => remarked.join(''),
  }
}

describe('output', () => {
  it('lines up columns', () => {
    const { output, written } = setup()
    output.table(
      [
        { name: 'a', size: 1 },
        { name: 'longer', size: 20 },
      ],
      [
        { title: 'NAME', value: (row) => row.name },
        { title: 'SIZE', value: (row) => row.size },
      ],
    )
    assert.equal(written(), 'NAME    SIZE\na       1\nlonger  20\n')
  })

  it('writes rows as they are with --json', () => {
    const { output, written } = setup({ json: true })
    output.table([{ name: 'a' }], [{ title: 'NAME', value: (row) => row.name }])
    assert.deepEqual(JSON.parse(written()), [{ name: 'a' }])
  })

  it('escapes what would move the cursor or turn the line around', () => {
    assert.equal(visible('a\u001b[2Jb\u202Egpj.exe\u0000\n'), 'a\\u{1b}[2Jb\\u{202e}gpj.exe\\u{0}\\u{a}')
    assert.equal(visible('Übergabe – Straße.pdf'), 'Übergabe – Straße.pdf')
  })

  it('speaks of sizes and times as people do', () => {
    assert.equal(formatBytes(0), '0 B')
    assert.equal(formatBytes(1536), '1.5 KiB')
    assert.equal(formatBytes(5 * 1024 ** 3), '5.0 GiB')
    assert.equal(formatSeconds(75), '1:15')
    assert.equal(formatSeconds(3700), '1:01:40')
  })

  it('shows share, speed and time left', () => {
    const line = progressLine('up', 25 * 1024 ** 2, 100 * 1024 ** 2, 5)
    assert.match(line, /^up \[#{6}\.{18}\] {2}25 % 25\.0 MiB\/100\.0 MiB 5\.0 MiB\/s 0:15 left$/)
  })

  it('draws progress in a terminal only', () => {
    const live = setup({ interactive: true })
    const bar = live.output.progress('up', 100)
    live.tick(1000)
    bar.update(50)
    bar.end()
    assert.match(live.remarked(), / 50 % /)
    const piped = setup()
    piped.output.progress('up', 100).update(50)
    assert.equal(piped.remarked(), '')
  })
})
