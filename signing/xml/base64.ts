/** Base64 as XML signatures carry it: white space anywhere, nothing else beside the alphabet (RFC 4648 §4). */

/** The decoded text, or null when it is not base64. */
export function decodeBase64(text: string): Buffer | null {
  const compact = text.replace(/[ \t\r\n]+/g, '')
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return null
  return Buffer.from(compact, 'base64')
}
