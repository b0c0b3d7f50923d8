/**
 * The cover letter inside a Nachricht: its kind, subject, what it answers, and the frozen list of files with hashes.
 *
 * A private format of this house (docs/divergences.md) until XJustiz takes its place; it travels as the inline data of the
 * content container, signed and encrypted with it. Unknown inline data of other products are simply no letter.
 */
import { attributeOf, childElements, escapeAttribute, escapeText, isNamed, parseXml, textOf } from '../signing/index.ts'
import type { XmlElement } from '../signing/index.ts'

const NAMESPACE = 'urn:amtsbote:nachricht:1'

/** One file as it was sent or as it arrived. */
export interface ListedFile {
  name: string
  /** bytes of the plaintext */
  size: number
  /** of the plaintext, lower-case hex */
  sha256: string
}

export interface Letter {
  /** `nachricht` carries files; `eingang` confirms files that arrived */
  kind: 'nachricht' | 'eingang'
  subject: string
  /** MessageId that it answers; null = none */
  answers: string | null
  files: ListedFile[]
}

/** The OSCI subject, which the intermediary sees: the type of the message, never what it is about. */
export const OSCI_SUBJECTS = { nachricht: 'Allgemeine Nachricht', eingang: 'Eingangsbestätigung' } as const

/** Writes a letter. */
export function writeLetter(letter: Letter): Buffer {
  const answers = letter.answers === null ? '' : ` antwortAuf="${escapeAttribute(letter.answers)}"`
  const files = letter.files.map(
    ({ name, size, sha256 }) => `<datei name="${escapeAttribute(name)}" groesse="${size}" sha256="${sha256}"/>`,
  )
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<${letter.kind} xmlns="${NAMESPACE}"${answers}>` +
      `<betreff>${escapeText(letter.subject)}</betreff>${files.join('')}</${letter.kind}>`,
    'utf8',
  )
}

/** Reads a letter; null = these bytes are none. */
export function readLetter(bytes: Buffer): Letter | null {
  let root: XmlElement
  try {
    root = parseXml(bytes, { maxBytes: 4_194_304, maxDepth: 4, maxElements: 2_000 })
    const kind = isNamed(root, NAMESPACE, 'nachricht')
      ? 'nachricht'
      : isNamed(root, NAMESPACE, 'eingang')
        ? 'eingang'
        : null
    if (!kind) return null
    const children = childElements(root)
    const subject = children.find((child) => isNamed(child, NAMESPACE, 'betreff'))
    const files = children.filter((child) => isNamed(child, NAMESPACE, 'datei')).map(readFile)
    if (!subject || files.includes(null)) return null
    const listed = files.filter((file) => file !== null)
    return { kind, subject: textOf(subject), answers: attributeOf(root, 'antwortAuf'), files: listed }
  } catch {
    return null // whatever it is, it is not ours: the delivery is kept and shown without it
  }
}

function readFile(element: XmlElement): ListedFile | null {
  const name = attributeOf(element, 'name')
  const size = attributeOf(element, 'groesse') ?? ''
  const sha256 = attributeOf(element, 'sha256') ?? ''
  if (name === null || !/^\d{1,15}$/.test(size) || !/^[0-9a-f]{64}$/.test(sha256)) return null
  return { name, size: Number(size), sha256 }
}
