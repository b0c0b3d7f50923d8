/** Files for the demo: a small PDF (ISO 32000-1) and a large file of pseudo-random bytes that compress and repeat nowhere. */
import { createCipheriv } from 'node:crypto'
import { open } from 'node:fs/promises'

/** A one-page PDF that says `text`. */
export function samplePdf(text: string): Buffer {
  const page = `BT /F1 18 Tf 72 720 Td (${text.replace(/[^\x20-\x7e]|[()\\]/g, '')}) Tj ET`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${page.length} >>\nstream\n${page}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  let body = '%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n'
  const offsets = objects.map((object, index) => {
    const at = Buffer.byteLength(body, 'latin1')
    body += `${index + 1} 0 obj\n${object}\nendobj\n`
    return at
  })
  const table = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')
  const start = Buffer.byteLength(body, 'latin1')
  body += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}`
  body += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`
  return Buffer.from(body, 'latin1')
}

const BLOCK = 1 << 20

/** Writes `size` bytes: the AES-CTR key stream of `seed` (32 bytes). */
export async function writeLargeFile(file: string, size: number, seed: Buffer): Promise<void> {
  const stream = createCipheriv('aes-256-ctr', seed, Buffer.alloc(16))
  const zeros = Buffer.alloc(BLOCK)
  const handle = await open(file, 'wx', 0o600)
  try {
    for (let left = size; left > 0; left -= BLOCK)
      await handle.writeFile(stream.update(zeros.subarray(0, Math.min(BLOCK, left))))
  } finally {
    await handle.close()
  }
}
