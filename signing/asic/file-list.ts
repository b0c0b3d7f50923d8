/**
 * META-INF/manifest.xml: the files of a package with their media types (ODF 1.3 part 2 §4.5), which an ASiC-E with XAdES
 * has too (ETSI EN 319 162-1 §4.4.3.1). Nobody signs it; it proves nothing.
 */
import { escapeAttribute } from '../xml/c14n.ts'

/** UTF-8. */
export function writeFileList(mimeType: string, files: readonly { name: string; mimeType: string }[]): Buffer {
  const entries = [{ name: '/', mimeType }, ...files].map((file) => {
    const path = escapeAttribute(file.name)
    const type = escapeAttribute(file.mimeType)
    return `<manifest:file-entry manifest:full-path="${path}" manifest:media-type="${type}"/>`
  })
  return Buffer.from(
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      `<manifest:manifest xmlns:manifest="${NAMESPACE}" manifest:version="1.3">${entries.join('')}</manifest:manifest>\n`,
  )
}

const NAMESPACE = 'urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'
