/** The recorded documents with the verdicts that they must get, and how an answer is compared with them. */
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { bufferAccess } from '../random-access.ts'
import { parseCertificate } from '../trust/certificate.ts'
import type { TrustAnchor } from '../trust/trust-anchor.ts'
import type { SignatureReport, ValidationReport } from '../validation/report.ts'
import { validateDocument } from '../validation/validate.ts'
import type { ValidationOptions } from '../validation/validate.ts'

type Pair = readonly [string, string | null]

export interface CorpusFile {
  file: string
  class: string
  reason: string
  origin: string
  validationTime: string
  anchors: string[]
  detached?: string[]
  password?: string
  level?: string
  expected: {
    signatures?: { accept: Pair[]; level?: string; brokenTimestamps?: number }[]
    /** absent: the pairs of `signatures` count */
    verdict?: 'NO-READABLE-SIGNATURE' | 'REJECTED-OR-NO-SIGNATURE'
    mustNotPass?: boolean
    orderFree?: boolean
    timestampTrusted?: boolean
    timestampImprint?: boolean
    archiveTimestampIntact?: boolean
    docTimestampIntact?: boolean
    atTime?: Record<string, string>
  }
}

export function readCorpus(folder: string): CorpusFile[] {
  const file = join(folder, 'manifest.json')
  if (!existsSync(file)) return []
  return (JSON.parse(readFileSync(file, 'utf8')) as { files: CorpusFile[] }).files
}

/** Offline, with the clock and the anchors of the manifest and nothing else. */
export function validateFile(
  folder: string,
  entry: CorpusFile,
  time = entry.validationTime,
): Promise<ValidationReport> {
  return validateDocument(bufferAccess(readFileSync(join(folder, entry.file))), optionsOf(folder, entry, time))
}

export function optionsOf(folder: string, entry: CorpusFile, time = entry.validationTime): ValidationOptions {
  const detached = entry.detached?.[0]
  return {
    anchors: entry.anchors.flatMap((name) => anchorsIn(join(folder, name))),
    now: new Date(time),
    producer: 'test',
    password: entry.password ?? null,
    detached: () => (detached === undefined ? null : bufferAccess(readFileSync(join(folder, detached)))),
  }
}

function anchorsIn(file: string): TrustAnchor[] {
  const certificates = parsePem(readFileSync(file, 'latin1')).map(parseCertificate)
  return certificates.map((certificate) => ({ certificate, source: basename(file) }))
}

/** DER of all certificates in a text. */
export function parsePem(text: string): Buffer[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((pem) => new X509Certificate(pem).raw)
}

/** What is wrong with a report; empty: nothing. */
export function complaints(entry: CorpusFile, report: ValidationReport): string[] {
  const { expected } = entry
  const passed = report.signatures.filter(({ indication }) => indication === 'TOTAL-PASSED')
  const found: string[] = []
  if (expected.mustNotPass === true && passed.length > 0) found.push('passed, and must not')
  if (expected.mustNotPass === true && isGreen(report)) found.push(`headline ${report.headline}`)
  if (expected.verdict !== undefined) {
    if (report.headline === 'unsigned') found.push('called unsigned')
    return found
  }
  return [
    ...found,
    ...comparePairs(entry, report),
    ...compareTimestamps(entry, report),
    ...compareLevels(entry, report),
  ]
}

const isGreen = ({ headline }: ValidationReport): boolean => headline === 'valid' || headline === 'valid-with-remarks'

function comparePairs({ expected }: CorpusFile, report: ValidationReport): string[] {
  const wanted = expected.signatures ?? []
  const { signatures } = report
  if (wanted.length !== signatures.length) return [`${signatures.length} signatures, not ${wanted.length}`]
  const fits = (order: readonly number[]): boolean =>
    order.every((to, from) => {
      const signature = signatures[to]
      return signature !== undefined && accepts(wanted[from]?.accept ?? [], signature, report)
    })
  if (fits([...signatures.keys()])) return []
  if (expected.orderFree === true && permutations([...signatures.keys()]).some(fits)) return []
  const got = signatures.map(({ indication, subIndication }) => `${indication}/${subIndication ?? ''}`)
  return [`${got.join(' ; ')} (${report.headline}), not ${JSON.stringify(wanted.map(({ accept }) => accept))}`]
}

function accepts(accept: readonly Pair[], signature: SignatureReport, report: ValidationReport): boolean {
  const { indication, subIndication } = signature
  return accept.some(([wanted, sub]) => {
    if (wanted === 'ANY') return true
    if (wanted === 'NOT-PASSED') return indication !== 'TOTAL-PASSED'
    if (wanted === 'NOT-CLEAN') return indication !== 'TOTAL-PASSED' || report.headline !== 'valid'
    if (wanted === 'PASSED-WITH-WARNING') return indication !== 'TOTAL-PASSED' || report.headline !== 'valid'
    return wanted === indication && (sub === 'any' || sub === subIndication)
  })
}

function compareTimestamps({ expected }: CorpusFile, report: ValidationReport): string[] {
  const found: string[] = []
  if (expected.timestampTrusted === false && report.signatures.some(({ bestTime }) => bestTime.source !== 'now'))
    found.push('a time-stamp proves something that must not')
  const broken = report.timestamps.filter(({ constraints }) =>
    constraints.some(({ result, subIndication }) => result === 'failed' && subIndication !== 'NOT_YET_VALID'),
  ).length
  const mustBreak = expected.timestampImprint === false || expected.archiveTimestampIntact === false
  if (mustBreak && broken === 0) found.push('no time-stamp is broken, one must be')
  const wanted = Math.max(0, ...(expected.signatures ?? []).map(({ brokenTimestamps = 0 }) => brokenTimestamps))
  const isTold = expected.signatures?.some(({ brokenTimestamps }) => brokenTimestamps !== undefined) ?? false
  if (isTold && broken !== wanted) found.push(`${broken} broken time-stamps, not ${wanted}`)
  return found
}

/**
 * Peers call a level by what is there; ours holds together. Levels are compared where nothing is broken on purpose, with
 * the names for what is no baseline taken as one.
 */
function compareLevels(entry: CorpusFile, report: ValidationReport): string[] {
  const { expected } = entry
  const isBroken = expected.mustNotPass === true || expected.timestampImprint === false
  return report.signatures.flatMap(({ id, level, levelGap, indication }, index) => {
    const { level: own, brokenTimestamps = 0 } = expected.signatures?.[index] ?? {}
    const wanted = own ?? (report.signatures.length === 1 ? entry.level : undefined)
    const isCompared = !isBroken && brokenTimestamps === 0 && indication !== 'TOTAL-FAILED'
    if (wanted === undefined || !isCompared) return []
    const baseline = wanted.includes('BASELINE') ? wanted : 'not-baseline'
    return level === baseline ? [] : [`level of ${id}: ${level} (${levelGap}), not ${wanted}`]
  })
}

function permutations(list: readonly number[]): number[][] {
  if (list.length < 2) return [[...list]]
  return list.flatMap((item) => permutations(list.filter((other) => other !== item)).map((rest) => [item, ...rest]))
}
