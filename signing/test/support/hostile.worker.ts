/**
 * A process that does one thing with one hostile file and says on its output how that ended and what it took. Its order
 * is the first argument.
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { checkResponse } from '../../timestamp/response.ts'
import { timestampRequest } from '../../timestamp/request.ts'
import { SigningError, bufferAccess, openPkcs12, parseCertificate, sealPdf, validateDocument } from '../../index.ts'
import type { RandomAccess } from '../../index.ts'
import { checkList } from '../../trust/lists/check-list.ts'
import { ecSigningKey } from '../trial-key.ts'
import { peakMib } from './peak-memory.ts'

export interface HostileOrder {
  entry: 'validate' | 'seal' | 'list' | 'pkcs12' | 'timestamp'
  path: string
  /** DER in Base64: trusted, or announced for the list */
  certificates?: string[]
  /** what a signature without content is over */
  content?: string
}

/** One document; its bytes are made when its turn comes. */
export interface HostileCase extends Partial<Omit<HostileOrder, 'path'>> {
  build: () => Buffer | Promise<Buffer>
  /** done by `npm test` */
  always?: true
}

export interface HostileOutcome {
  /** headline of the verdict, or code of the fault */
  outcome: string
  /** of the processor, the start of the process not counted */
  milliseconds: number
  /** largest resident set of the whole process */
  peakMib: number
}

const NOW = new Date('2026-11-23T10:00:00Z')
const order = JSON.parse(process.argv[2] ?? '') as HostileOrder

function fileAccess(path: string): RandomAccess & { close: () => void } {
  const file = openSync(path, 'r')
  return {
    size: statSync(path).size,
    read(position, length) {
      const bytes = Buffer.allocUnsafeSlow(length)
      return Promise.resolve(bytes.subarray(0, readSync(file, bytes, 0, length, position)))
    },
    close: () => {
      closeSync(file)
    },
  }
}

async function perform({ entry, path, certificates = [], content }: HostileOrder): Promise<string> {
  const trusted = certificates.map((der) => parseCertificate(Buffer.from(der, 'base64')))
  const whole = (): Buffer => readFileSync(path)
  switch (entry) {
    case 'validate': {
      const source = fileAccess(path)
      const anchors = trusted.map((certificate) => ({ certificate, source: 'test' }))
      const detached = () => (content === undefined ? null : bufferAccess(Buffer.from(content)))
      const { headline } = await validateDocument(source, { anchors, now: NOW, producer: 'test', detached })
      source.close()
      return headline
    }
    case 'seal': {
      const source = fileAccess(path)
      const sealed = await sealPdf(source, ecSigningKey('P-256'), { signedAt: NOW })
      let bytes = 0
      for await (const part of sealed.bytes) bytes += part.length
      source.close()
      return bytes === sealed.size ? 'sealed' : 'cut off'
    }
    case 'list': {
      const expectation = { type: 'EUgeneric', territory: 'DE', signers: trusted, previous: null }
      const verdict = checkList(whole(), { location: 'https://de.example', retrievedAt: NOW }, expectation)
      return verdict.kind === 'accepted' ? 'accepted' : verdict.reason
    }
    case 'pkcs12': {
      const { signing } = await openPkcs12(whole(), 'geheim')
      return signing.kind
    }
    case 'timestamp': {
      const request = timestampRequest('sha256', Buffer.alloc(32), Buffer.alloc(16, 7))
      const verdict = await checkResponse(request, whole(), { now: NOW, trusts: () => true })
      return verdict.kind === 'accepted' ? 'accepted' : verdict.reason
    }
  }
}

const before = process.cpuUsage()
let outcome: string
try {
  outcome = await perform(order)
} catch (error) {
  if (!(error instanceof SigningError)) throw error
  outcome = error.code
}
const { user, system } = process.cpuUsage(before)
const milliseconds = Math.round((user + system) / 1000)
process.stdout.write(JSON.stringify({ outcome, milliseconds, peakMib: peakMib() } satisfies HostileOutcome))
