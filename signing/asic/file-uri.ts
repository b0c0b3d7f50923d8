/**
 * Names of files as relative addresses, in manifests and XML references (RFC 3986; ETSI EN 319 162-1 §A.4).
 */

/** The name of a file that a relative address names: percent-encoded UTF-8 (RFC 3986 §2.5). */
export function fileName(uri: string): string {
  const path = uri.replace(/^\.\//, '').replace(/^\//, '')
  try {
    return decodeURIComponent(path)
  } catch {
    return path // a name that was never encoded and has a percent sign
  }
}

/** The address of a file: what is not unreserved is percent-encoded, apart from the slash. */
export function fileUri(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/')
}
