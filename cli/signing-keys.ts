/** The keys of this installation that sign: what each is by its certificate, until when it may be used, and whether it works. */
import { CliError } from './errors.ts'
import { keyFileNames, openKeyFile } from './key-files.ts'
import { openSealKey, sealKeyName, type SealKeyDeps } from './seal-key.ts'
import { judgeSigningKey } from '../policies/index.ts'
import { checkSealKind, checkUsable, readCertificate, SigningError } from '../signing/index.ts'
import type { OpenedKey, SigningKey } from '../signing/index.ts'

/** One row of `key list`. Days are ISO dates; `open`: no end is set. */
export interface SigningKeyFacts {
  name: string
  /** by its certificate; nobody has checked that claim here */
  kind: string
  key: string
  holder: string
  validUntil: string
  suitableUntil: string
  state: 'good' | 'ends soon' | 'ended' | 'unusable' | 'unknown'
}

/** Key files of the keys folder, then the seal key where the configuration puts it elsewhere. */
export async function listSigningKeys(deps: SealKeyDeps): Promise<SigningKeyFacts[]> {
  const { keysFolder, seal } = deps.config
  const found: SigningKeyFacts[] = []
  for (const name of (await keyFileNames(keysFolder)).sort()) {
    found.push(await factsOf(name, deps, async () => (await openKeyFile(keysFolder, name))?.signing ?? null))
  }
  if (seal.key.kind === 'pkcs12' && seal.key.file === undefined) return found
  found.push(
    await factsOf(sealKeyName(deps.config), deps, async () => {
      const opened = await openSealKey(deps)
      await opened.close()
      return opened.signing
    }),
  )
  return found
}

/** A key that cannot be opened is a row, too. */
async function factsOf(
  name: string,
  { world }: SealKeyDeps,
  open: () => Promise<SigningKey | null>,
): Promise<SigningKeyFacts> {
  try {
    const signing = await open()
    if (signing !== null) return describeKey(name, signing, world.clock())
  } catch (error) {
    if (!(error instanceof SigningError)) throw error
  }
  return { ...{ name, kind: '?', key: '?', holder: '?', validUntil: '?', suitableUntil: '?' }, state: 'unknown' }
}

/** What a key is, by its certificate and policies/algorithms.ts. */
function describeKey(name: string, { certificateChain }: SigningKey, now: Date): SigningKeyFacts {
  const { kind, key, commonName, organisation, notAfter } = readCertificate(certificateChain[0])
  const verdict = key.kind === 'other' ? null : judgeSigningKey({ kind: key.kind, bits: key.bits }, now)
  const ends = [notAfter, verdict?.until ?? null].filter((end) => end !== null).map((end) => end.getTime())
  return {
    name,
    kind,
    key: `${key.kind} ${key.bits}`,
    holder: commonName === '' ? organisation : commonName,
    validUntil: day(notAfter),
    suitableUntil: verdict === null ? '?' : verdict.until === null ? 'open' : day(verdict.until),
    state: stateOf(verdict?.kind ?? 'refused', Math.min(...ends) - now.getTime()),
  }
}

function stateOf(verdict: 'good' | 'ending' | 'refused', leftMs: number): SigningKeyFacts['state'] {
  if (leftMs < 0) return 'ended'
  if (verdict === 'refused') return 'unusable'
  return verdict === 'ending' || leftMs < SOON_MS ? 'ends soon' : 'good'
}

export interface KeyCheck {
  key: SigningKeyFacts
  algorithm: string
  /** what a seal with it would be */
  would: string
  usable: boolean
  /** why it must not seal; empty: it may */
  reason: string
}

/** Signs and verifies once with the key of this name; null: the seal key. Throws the adapters' SigningError. */
export async function checkSigningKey(deps: SealKeyDeps, name: string | null): Promise<KeyCheck> {
  const { signing, close } = await openNamedKey(deps, name)
  try {
    const now = deps.world.clock()
    // the adapters verify a value that is asked for alone, or know that it fits, before they give it away
    await signing.sign([deps.world.random(32)])
    const reason = whyNot(() => {
      checkUsable(signing, now)
      checkSealKind(signing, deps.config.seal.allowAdvanced)
    })
    const key = describeKey(name ?? sealKeyName(deps.config), signing, now)
    return { key, algorithm: signing.algorithm, would: WOULD[signing.kind], usable: reason === '', reason }
  } finally {
    await close()
  }
}

/** The key file of this name; null: the seal key. Throws CliError `cli/not-found`. */
export async function openNamedKey(deps: SealKeyDeps, name: string | null): Promise<OpenedKey> {
  if (name === null) return openSealKey(deps)
  const opened = await openKeyFile(deps.config.keysFolder, name)
  if (opened === null) throw new CliError('cli/not-found', 'no such key; `amtsbote key list` shows what there is')
  return { signing: opened.signing, close: () => Promise.resolve() }
}

function whyNot(check: () => void): string {
  try {
    check()
    return ''
  } catch (error) {
    if (error instanceof SigningError) return error.message
    throw error
  }
}

const day = (at: Date): string => at.toISOString().slice(0, 10)

const WOULD = {
  trial: 'a trial, without any legal effect',
  advanced: 'advanced, not qualified',
  qualified: 'qualified, by what its certificate claims',
} as const
const SOON_MS = 30 * 86_400_000
