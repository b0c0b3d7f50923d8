/**
 * ASiCManifest: names the files of a container with their digests, and the signature or time-stamp over the manifest
 * (ETSI EN 319 162-1 §A.4). Reading and writing.
 */
import { fileName, fileUri } from './file-uri.ts'
import { escapeAttribute } from '../xml/c14n.ts'
import { decodeBase64 } from '../xml/base64.ts'
import { attributeOf, childElements, isNamed, textOf } from '../xml/find.ts'
import { DSIG_NAMESPACE } from '../xml/namespaces.ts'
import { parseXml } from '../xml/parse.ts'
import type { XmlElement } from '../xml/parse.ts'
import { digestOfUri, uriOfDigest } from '../xml/signature-method.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import { SigningError } from '../errors.ts'

export interface AsicManifest {
  /** name of the signature or time-stamp, decoded; null: cannot be told */
  signature: string | null
  references: readonly ManifestReference[]
}

export interface ManifestReference {
  /** name of the file, decoded */
  name: string
  /** null: unknown to this program */
  digest: Digest | null
  value: Buffer
  /** null: not said */
  mimeType: string | null
  /** the manifest of the time-stamp before, of which this one is the successor */
  isRoot: boolean
}

/**
 * @throws SigningError `signing/xml-malformed`, `signing/xml-forbidden`, `signing/xml-too-large`
 */
export function readManifest(bytes: Buffer, maxElements: number = LIMITS.maxElements): AsicManifest {
  const root = parseXml(bytes, { ...LIMITS, maxElements: Math.min(maxElements, LIMITS.maxElements) })
  if (!isNamed(root, ASIC_NAMESPACE, 'ASiCManifest')) throw malformed('no ASiCManifest')
  const children = childElements(root)
  const [signature, ...others] = children.filter((child) => isNamed(child, ASIC_NAMESPACE, 'SigReference'))
  const uri = signature === undefined ? null : attributeOf(signature, 'URI')
  const references = children.filter((child) => isNamed(child, ASIC_NAMESPACE, 'DataObjectReference'))
  return {
    signature: uri === null || others.length > 0 ? null : fileName(uri),
    references: references.map(readReference),
  }
}

function readReference(element: XmlElement): ManifestReference {
  const uri = attributeOf(element, 'URI')
  const children = childElements(element)
  const [method, second] = children.filter((child) => isNamed(child, DSIG_NAMESPACE, 'DigestMethod'))
  const [value, third] = children.filter((child) => isNamed(child, DSIG_NAMESPACE, 'DigestValue'))
  const bytes = value === undefined ? null : decodeBase64(textOf(value))
  if (uri === null || method === undefined || bytes === null || second !== undefined || third !== undefined) {
    throw malformed('a DataObjectReference without address or digest')
  }
  return {
    name: fileName(uri),
    digest: digestOfUri(attributeOf(method, 'Algorithm') ?? ''),
    value: bytes,
    mimeType: attributeOf(element, 'MimeType'),
    isRoot: attributeOf(element, 'Rootfile') === 'true',
  }
}

export interface ManifestContent {
  signature: { name: string; mimeType: string }
  references: readonly (Omit<ManifestReference, 'digest'> & { digest: Digest })[]
}

/** UTF-8. */
export function writeManifest({ signature, references }: ManifestContent): Buffer {
  const attributes = (values: Readonly<Record<string, string | null>>): string =>
    Object.entries(values)
      .map(([name, value]) => (value === null ? '' : ` ${name}="${escapeAttribute(value)}"`))
      .join('')
  const lines = references.map(({ name, digest, value, mimeType, isRoot }) => {
    const own = attributes({ MimeType: mimeType, URI: fileUri(name), Rootfile: isRoot ? 'true' : null })
    const method = `<ds:DigestMethod${attributes({ Algorithm: uriOfDigest(digest) })}/>`
    return `<asic:DataObjectReference${own}>${method}<ds:DigestValue>${value.toString('base64')}</ds:DigestValue></asic:DataObjectReference>`
  })
  const over = attributes({ MimeType: signature.mimeType, URI: fileUri(signature.name) })
  return Buffer.from(
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      `<asic:ASiCManifest xmlns:asic="${ASIC_NAMESPACE}" xmlns:ds="${DSIG_NAMESPACE}">` +
      `<asic:SigReference${over}/>${lines.join('')}</asic:ASiCManifest>\n`,
  )
}

function malformed(message: string): SigningError {
  return new SigningError('signing/xml-malformed', message)
}

const ASIC_NAMESPACE = 'http://uri.etsi.org/02918/v1.2.1#'
const LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 16, maxElements: 100_000 }
