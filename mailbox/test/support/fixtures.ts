/** The recorded wire messages of the official library, their expectations, and the test PKI they were made with. */
import { readFileSync } from 'node:fs'
import { openPkcs12 } from '../../../signing/index.ts'
import type { OsciIdentity, OsciParty } from '../../osci/identity.ts'
import type { Envelope } from '../../osci/parse.ts'
import { readCertificates } from '../../osci/parse.ts'
import { openTransport, verifyMessage } from '../../osci/security.ts'
import type { OpenedTransport, SignatureVerdict } from '../../osci/security.ts'

const ROOT = new URL('../fixtures/', import.meta.url)

export interface Expected {
  accept: boolean | 'policy'
  codes?: string[]
  messageType?: string
  transportEncryption?: { recipient: string } | null
  headers?: string[]
  controlBlock?: {
    conversationId: string | null
    sequenceNumber: number | null
    response: string | null
    challenge: string | null
  }
  messageSignature?: { valid: boolean; signer: string } | null
  certificates?: { id: string; role: string; key: string }[]
  messageId?: string
  subject?: string
  content?: unknown[]
  attachmentsOnWire?: { contentId: string; size: number; sha256: string }[]
  feedback?: { code: string }[]
}

export interface Fixture {
  id: string
  file: string
  category: 'request' | 'response' | 'fault' | 'inner' | 'broken'
  base?: string
  requestChallenge?: string
  expected: Expected
}

export const FIXTURES: Fixture[] = (
  JSON.parse(readFileSync(new URL('osci/manifest.json', ROOT), 'utf8')) as { fixtures: Fixture[] }
).fixtures.filter(({ id }) => !id.includes('partial'))

export function fixtureNamed(id: string): Fixture {
  const found = FIXTURES.find((fixture) => fixture.id === id)
  if (!found) throw new Error(`no fixture ${id}`)
  return found
}

export function wireBytes(fixture: Fixture): Buffer {
  return readFileSync(new URL(`osci/${fixture.file}`, ROOT))
}

export function certificate(name: string): Buffer {
  return readFileSync(new URL(`keys/${name}.cer`, ROOT))
}

const opened = new Map<string, Promise<OsciIdentity>>()

/** Opens NAME.p12 once; all have the passphrase "test". */
export function keyPair(name: string): Promise<OsciIdentity> {
  const known = opened.get(name) ?? openRsaPair(name)
  opened.set(name, known)
  return known
}

async function openRsaPair(name: string): Promise<OsciIdentity> {
  const { signing, decryption } = await openPkcs12(readFileSync(new URL(`keys/${name}.p12`, ROOT)), 'test')
  if (decryption === null) throw new Error(`${name} is no RSA key`)
  return { signing, decryption }
}

/** alice, bob, carol, eve or intermed as a party with opened keys. */
export async function identity(name: string): Promise<OsciIdentity> {
  const [signature, cipher] = await Promise.all([keyPair(`${name}_sig`), keyPair(`${name}_enc`)])
  return { signing: signature.signing, decryption: cipher.decryption }
}

export function party(name: string): OsciParty {
  return { cipherCertificate: certificate(`${name}_enc`), signatureCertificate: certificate(`${name}_sig`) }
}

/** Takes a fixture off the wire with the key of its receiver. */
export async function receive(bytes: Buffer, recipient = 'intermed_enc'): Promise<OpenedTransport> {
  const { decryption } = await keyPair(recipient)
  return openTransport(bytes, decryption, { maxBytes: 10_000_000, maxParts: 100, ciphers: 'legacy-allowed' })
}

/** Checks the message signature as the receiver would: pinned intermediary for responses, named originator else. */
export function judge(message: OpenedTransport): SignatureVerdict {
  const { envelope } = message
  const pinned = envelope.type?.startsWith('ResponseTo') ?? false
  const intermediary = certificate('intermed_sig')
  return verifyMessage(envelope, message.message.parts, (uri) =>
    pinned ? intermediary : (certificatesOf(envelope).find(({ id }) => `#${id}` === uri)?.certificate ?? null),
  )
}

export function certificatesOf(envelope: Envelope): ReturnType<typeof readCertificates> {
  return envelope.blocks.filter((block) => block.local.endsWith('Certificates')).flatMap(readCertificates)
}
