/**
 * The RC4 stream cipher, only to open old encrypted PDFs (ISO 32000-2 §7.6.3.2): OpenSSL 3 no longer has it. It protects
 * nothing; nothing of ours is encrypted with it but what joins a document that already is.
 */

/** Encrypts or decrypts, which is the same. */
export function rc4(key: Buffer, data: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index)
  const at = (index: number): number => state[index & 255] ?? 0
  const swap = (a: number, b: number): void => {
    const kept = at(a)
    state[a] = at(b)
    state[b] = kept
  }
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + at(i) + (key[i % key.length] ?? 0)) & 255
    swap(i, j)
  }
  const out = Buffer.alloc(data.length)
  for (let n = 0, i = 0, j = 0; n < data.length; n++) {
    i = (i + 1) & 255
    j = (j + at(i)) & 255
    swap(i, j)
    out[n] = (data[n] ?? 0) ^ at(at(i) + at(j))
  }
  return out
}
