import assert from 'node:assert/strict'
import fc from 'fast-check'
import { html } from '../web/markup.ts'
import { shownName } from '../web/file-name.ts'
import { ownPath } from '../http/input.ts'

describe('html', () => {
  it('escapes what it inserts, also in lists', () => {
    const nasty = `<script>alert("1")</script>'&`
    const escaped = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;'
    assert.equal(html`<p title="${nasty}">${[nasty, 7]}</p>`.text, `<p title="${escaped}">${escaped}7</p>`)
  })

  it('inserts markup of its own as it is, and nothing for nothing', () => {
    assert.equal(html`<p>${html`<b>${'<'}</b>`}${null}${undefined}${false}</p>`.text, '<p><b>&lt;</b></p>')
  })

  it('lets no text open a tag or leave an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(html`${text}`.text, /[<>"']/)
      }),
    )
  })
})

describe('shownName', () => {
  it('keeps a name that turns the reading direction from turning the page', () => {
    assert.equal(shownName('rechnung\u202Efdp.exe').text, '<bdi>rechnung[U+202E]fdp.exe</bdi>')
  })
})

describe('ownPath', () => {
  it('goes on only to addresses of this site', () => {
    for (const path of ['/rooms', '/rooms/a-b?after=x%2F', '/']) assert.equal(ownPath(path, '/x'), path)
    for (const path of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      '',
      'rooms',
      '/a\r\nb',
      '/a#b',
      '/a b',
      '/\u0000',
      `/${'a'.repeat(600)}`,
      '/javascript:alert(1)',
      null,
      undefined,
    ]) {
      assert.equal(ownPath(path, '/x'), '/x')
    }
  })
})
