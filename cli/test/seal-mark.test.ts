import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../config.ts'
import { sealMarkOf } from '../seal-mark.ts'

describe('the mark of seals', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'amtsbote-mark-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function configured(text: string) {
    const path = join(folder, 'amtsbote.yaml')
    await writeFile(path, text)
    return sealMarkOf(loadConfig(path))
  }

  it('is none unless it is configured', async () => {
    assert.equal(await configured('signatures: {}\n'), null)
  })

  it('has the time of the seal in Berlin, and the logo beside the configuration', async () => {
    await writeFile(join(folder, 'wappen.png'), 'logo')
    const mark = await configured(
      'signatures:\n  mark:\n    lines: ["Musterstadt", "am {date}"]\n    logoFile: wappen.png\n    page: last\n',
    )
    assert.deepEqual(mark?.(new Date('2026-07-23T22:30:00Z')), {
      lines: ['Musterstadt', 'am 24.07.2026, 00:30 MESZ'],
      page: 'last',
      place: { corner: 'bottom-right', margin: 30, width: 220, height: 60 },
      logo: Buffer.from('logo'),
    })
    assert.match(mark(new Date('2026-12-31T23:00:00Z')).lines[1] ?? '', /01\.01\.2027, 00:00 MEZ/)
  })
})
