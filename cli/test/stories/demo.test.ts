import assert from 'node:assert/strict'
import { run } from '../../main.ts'

describe('demo', function () {
  this.timeout(180_000)

  it('plays the whole story and proves every step', async () => {
    const out: string[] = []
    const err: string[] = []
    const code = await run(['--json', 'demo', '--size', '12'], {
      write: (text) => void out.push(text),
      remark: (text) => void err.push(text),
    })
    assert.equal(code, 0, `${out.join('')}${err.join('')}`)
    const said = out
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const steps = said.filter(({ step }) => step !== undefined)
    assert.deepEqual(said.at(-1), { proven: true })
    assert.ok(steps.every(({ ok }) => ok === true))
    assert.deepEqual(
      steps.map(({ step }) => step),
      Array.from({ length: 13 }, (_, index) => index + 1),
    )
    const [files, , , refusal, large, , , down, , sealed, , court, audit] = steps
    assert.equal(files?.['large'], '12.0 MiB')
    assert.equal(refusal?.['answer'], 'step-up-required')
    assert.equal(large?.['cuts'], 3)
    assert.equal(large['sha256'], down?.['sha256'])
    assert.equal(sealed?.['sha256'], court?.['sha256'])
    assert.equal(court?.['state'], 'checked')
    assert.ok(Number(audit?.['entries']) > 20)
  })

  it('ends with a line and exit code 2 when the PDF is not there', async () => {
    const err: string[] = []
    const code = await run(['demo', '/nowhere/at/all.pdf'], {
      write: () => undefined,
      remark: (text) => void err.push(text),
    })
    assert.equal(code, 2)
    assert.match(err.join(''), /name an existing PDF, or none/)
  })
})
