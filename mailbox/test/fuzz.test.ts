/**
 * Recorded messages with bytes flipped, cut, doubled and mixed: every receiver answers with our coded errors, fast.
 *
 * 2,000 mutations in `npm test`, 100,000 in `npm run prove`; the seed is printed and can be given as AMTSBOTE_SEED.
 */
import assert from 'node:assert/strict'
import { createHash, randomInt } from 'node:crypto'
import { canonicalize } from '../../signing/index.ts'
import { MailboxError } from '../index.ts'
import { openContent } from '../osci/content-reading.ts'
import { asMailboxError, readControlBlock, readFaultCode, readFeedback } from '../osci/parse.ts'
import { readProcessCards, readSelection } from '../osci/process-card.ts'
import type { OsciMessage } from '../osci/security.ts'
import { FIXTURES, certificatesOf, judge, keyPair, receive, wireBytes } from './support/fixtures.ts'

const ROUNDS = process.env['AMTSBOTE_PROVE'] === '1' ? 100_000 : 2_000
const SEED = Number(process.env['AMTSBOTE_SEED'] ?? randomInt(2 ** 31))

/** Mulberry32: small, and the same everywhere for a seed. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const TOKENS = [
  '<',
  '>',
  '&',
  '"',
  '\r\n',
  '--',
  '\0',
  '<!DOCTYPE x>',
  '&#0;',
  ']]>',
  'Id="body"',
  '<!--',
  '<a:b>',
  'ÿ',
]

function mutate(bytes: Buffer, other: Buffer, random: (below: number) => number): Buffer {
  const at = random(bytes.length)
  const span = 1 + random(64)
  switch (random(7)) {
    case 0: {
      const copy = Buffer.from(bytes)
      for (let n = 0; n < 1 + random(4); n += 1) copy[random(copy.length)] = random(256)
      return copy
    }
    case 1:
      return bytes.subarray(0, at)
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + span)])
    case 3:
      return Buffer.concat([bytes.subarray(0, at + span), bytes.subarray(at)])
    case 4:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(TOKENS[random(TOKENS.length)] ?? ''),
        bytes.subarray(at),
      ])
    case 5:
      return Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length))])
    default: {
      // swap two digits or letters: keeps the structure and breaks the meaning
      const copy = Buffer.from(bytes)
      const to = random(copy.length)
      const kept = copy[at] ?? 0
      copy[at] = copy[to] ?? 0
      copy[to] = kept
      return copy
    }
  }
}

/** All that a signed message says, as one hash. */
function saying({ blocks, body, parts }: OsciMessage): string {
  const hash = createHash('sha256')
  for (const element of [...blocks, body]) hash.update(canonicalize(element))
  for (const { name, body: bytes } of [...parts].sort((a, b) => (a.name < b.name ? -1 : 1)))
    hash.update(name).update(bytes)
  return hash.digest('hex')
}

/** Everything that any receiver does with a message. */
async function readEverything(
  bytes: Buffer,
  key: Awaited<ReturnType<typeof keyPair>>['decryption'],
  genuine: ReadonlySet<string>,
): Promise<string> {
  const opened = await receive(bytes)
  if (opened.envelope.type === null) return readFaultCode(opened.envelope.body)
  const verdict = judge(opened)
  const message =
    verdict.kind === 'accepted' ? verdict.message : { ...opened.envelope, parts: opened.message.parts, signer: null }
  // A signature that holds: then nothing that is signed has changed, whatever changed around it.
  if (message.signer) assert.ok(genuine.has(saying(message)), 'an altered message was accepted')
  for (const block of message.blocks) {
    if (block.local === 'ControlBlock') readControlBlock(block)
    readFeedback(block)
    readProcessCards(block)
    readSelection(block)
  }
  const certificates = certificatesOf(opened.envelope)
  await openContent(message, certificates, { key, ciphers: 'legacy-allowed' })
  return verdict.kind
}

describe('messages that were tampered with', function () {
  this.timeout(ROUNDS > 10_000 ? 3_600_000 : 120_000)

  it('are read or refused with a code, never anything else', async () => {
    const random = generator(SEED)
    const plain = FIXTURES.filter(({ id }) => !id.includes('--')).map(wireBytes)
    const { decryption } = await keyPair('bob_enc')
    const genuine = new Set<string>()
    for (const bytes of plain) {
      const verdict = await receive(bytes).then(judge, () => null)
      if (verdict?.kind === 'accepted') genuine.add(saying(verdict.message))
    }
    const seen = new Map<string, number>()
    for (let n = 0; n < ROUNDS; n += 1) {
      const base = plain[random(plain.length)]
      const other = plain[random(plain.length)]
      assert.ok(base && other)
      let bytes = mutate(base, other, random)
      if (random(4) === 0 && bytes.length > 0) bytes = mutate(bytes, other, random)
      const result = await readEverything(bytes, decryption, genuine).catch((error: unknown) => {
        if (error instanceof MailboxError) return error.code
        throw new Error(`seed ${SEED}, round ${n}`, { cause: error })
      })
      seen.set(result, (seen.get(result) ?? 0) + 1)
    }
    console.log(`      seed ${SEED}: ${[...seen].map(([code, count]) => `${code} ${count}`).join(', ')}`)
    assert.ok((seen.get('mailbox/malformed') ?? 0) > 0)
    assert.ok((seen.get('wrong') ?? 0) > 0)
  })

  it('keeps the faults of other modules inside', () => {
    assert.throws(() => asMailboxError((): unknown => JSON.parse('{')), SyntaxError)
  })
})
