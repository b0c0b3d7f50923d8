import assert from 'node:assert/strict'
import fc from 'fast-check'
import { attachment, safeFileName } from '../http/disposition.ts'

describe('attachment', () => {
  it('carries umlauts in UTF-8 and a plain name for old clients', () => {
    assert.equal(
      attachment('Übersicht größe.pdf'),
      `attachment; filename="Ubersicht gro_e.pdf"; filename*=UTF-8''%C3%9Cbersicht%20gr%C3%B6%C3%9Fe.pdf`,
    )
  })

  it('gives the same name for both normal forms', () => {
    assert.equal(attachment('Ü.pdf'.normalize('NFD')), attachment('Ü.pdf'.normalize('NFC')))
  })

  it('leaves no quote, line break, path or direction mark in the header', () => {
    for (const name of [
      'a"b.pdf',
      'a\r\nSet-Cookie: x=1.pdf',
      '../../etc/passwd',
      'C:\\boot.ini',
      'rechnung\u202Efdp.exe',
      'a\u0000b',
      '100%.pdf',
      '\ud800.pdf',
    ]) {
      const header = attachment(name)
      assert.match(header, /^attachment; filename="[^"\\%\r\n]*"; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+$/)
      const real = decodeURIComponent(header.slice(header.indexOf("''") + 2))
      assert.doesNotMatch(real, /[/\\\p{Cc}\u202a-\u202e\u2066-\u2069"]/u)
    }
  })

  it('is a valid header for any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (name) => {
        const header = attachment(name)
        assert.match(header, /^[\x20-\x7e]+$/)
        assert.equal(decodeURIComponent(header.slice(header.indexOf("''") + 2)), safeFileName(name))
        assert.ok(Buffer.byteLength(safeFileName(name)) <= 255)
      }),
    )
  })
})

describe('safeFileName', () => {
  it('is never empty and never a dot file', () => {
    for (const name of ['', '.', '..', '...', '   ', '. . .']) assert.equal(safeFileName(name), 'download')
    assert.equal(safeFileName('.bashrc'), 'bashrc')
  })

  it('keeps the extension when it cuts', () => {
    const name = safeFileName(`${'ä'.repeat(300)}.pdf`)
    assert.equal(Buffer.byteLength(name), 254)
    assert.ok(name.endsWith('ä.pdf'))
  })
})
