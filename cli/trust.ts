/**
 * Whom the validation believes: the certificates of the operator and the trusted lists that this installation keeps.
 *
 * Folders: lists (accepted lists and their index), lotl (certificates from the Official Journal), anchors (the
 * operator's own). Everything is read and verified at the first use, and again when the lists changed on the disk.
 */
import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { TrustConfig } from './config-trust.ts'
import { CliError } from './errors.ts'
import { folderFiles } from './list-files.ts'
import { readAnchors, readCertificates } from './trust-certificates.ts'
import {
  NO_LISTS,
  SigningError,
  createTrustedLists,
  importLists,
  loadLists,
  nextListUpdate,
  refreshLists,
  saveLists,
} from '../signing/index.ts'
import type { Certificate, Http, ListProblem, ListSnapshot, Refreshed, TrustAnchor } from '../signing/index.ts'
import type { ListReport, Qualifier } from '../signing/index.ts'
import type { World } from '../storage/index.ts'

export interface Trust {
  /** what counts now; throws `signing/trust-store-damaged` when stored lists were altered */
  current: () => Promise<CurrentTrust>
  /**
   * Fetches all lists, keeps those that may be used; the others are in `problems`. Computes for seconds: `serve` does it in
   * a thread (trust-refresh-thread.ts).
   */
  refresh: () => Promise<Refreshed>
  /** when lists are to be had that are newer than ours, as ours announce it; null: never */
  nextUpdate: () => Promise<Date | null>
  /** Is there a certificate from the Official Journal, without which no list is believed? */
  isPinned: () => Promise<boolean>
  /** copies the present lists into an empty or former bundle */
  exportTo: (folder: string) => Promise<ListSnapshot>
  /** takes over a bundle that was exported elsewhere; all or nothing */
  importFrom: (folder: string) => Promise<ListSnapshot>
}

export interface CurrentTrust {
  /** the operator's own first */
  anchors: readonly TrustAnchor[]
  ownAnchors: readonly TrustAnchor[]
  /** a fresh one for each validation at `at` */
  qualifier: (at: Date) => Qualifier
  listReports: (at: Date) => ListReport[]
  /** stored lists that may not be used any more */
  problems: readonly ListProblem[]
  /** OCSP services to ask about certificates of this issuer when its own ones do not answer */
  formerServices: (issuer: Certificate) => readonly string[]
}

export interface TrustDeps {
  config: TrustConfig
  world: Pick<World, 'clock'>
  http: Http
}

export function createTrust({ config, world, http }: TrustDeps): Trust {
  const files = folderFiles(config.listsFolder)
  const pinned = (): Promise<Certificate[]> => readCertificates(config.lotlCertificatesFolder)
  const stored = async (): Promise<Refreshed> => loadLists(files, await pinned())
  let cached: { stamp: string; trust: Promise<CurrentTrust> } | null = null
  return {
    current: async () => {
      const stamp = await stampOf([path.join(config.listsFolder, 'index.json'), ...foldersOf(config)])
      if (cached?.stamp !== stamp) {
        const trust = stored().then((lists) => combine(config, lists))
        const entry = { stamp, trust }
        cached = entry
        // what failed once is tried again: the operator may have repaired it
        trust.catch(() => {
          if (cached === entry) cached = null
        })
      }
      return cached.trust
    },
    nextUpdate: () => nextListUpdate(files),
    isPinned: async () => (await pinned()).length > 0,
    refresh: async () => {
      const certificates = await neededPins(config, pinned)
      const { snapshot: previous } = await loadLists(files, certificates)
      const { lotlUrl, territories } = config
      const now = world.clock()
      const refreshed = await refreshLists({ http, now, lotlUrl, territories, pinned: certificates, previous })
      if (refreshed.snapshot !== NO_LISTS) await saveLists(files, refreshed.snapshot)
      return refreshed
    },
    exportTo: async (folder) => {
      const { snapshot } = await stored()
      if (snapshot.listOfLists === null) throw new CliError('cli/not-found', 'there are no trusted lists to export yet')
      await mkdir(folder, { recursive: true })
      await saveLists(folderFiles(folder), snapshot)
      return snapshot
    },
    importFrom: async (folder) => {
      const certificates = await neededPins(config, pinned)
      const { snapshot: previous } = await loadLists(files, certificates)
      const snapshot = await importLists(folderFiles(folder), certificates, previous).catch(refuseBundle)
      await saveLists(files, snapshot)
      return snapshot
    },
  }
}

/** What is wrong with a bundle says nothing about the lists in use. */
function refuseBundle(error: unknown): never {
  if (!(error instanceof SigningError)) throw error
  throw new CliError('cli/check-failed', `the bundle is refused, nothing of it is used: ${error.message}`, {
    cause: error,
  })
}

async function combine(config: TrustConfig, { snapshot, problems }: Refreshed): Promise<CurrentTrust> {
  const { maxOverdueDays, formerServicesUrl } = config
  const ownAnchors = await readAnchors(config.anchorsFolder)
  const lists = createTrustedLists(snapshot)
  return {
    ownAnchors,
    anchors: [...ownAnchors, ...lists.anchors],
    qualifier: (at) => lists.qualifier({ at, maxOverdueDays }),
    listReports: (at) => lists.reports({ at, maxOverdueDays }),
    problems,
    formerServices: (issuer) =>
      formerServicesUrl !== null && lists.hasStopped(issuer, 'DE') ? [formerServicesUrl] : [],
  }
}

async function neededPins(config: TrustConfig, pinned: () => Promise<Certificate[]>): Promise<Certificate[]> {
  const certificates = await pinned()
  if (certificates.length > 0) return certificates
  throw new CliError(
    'cli/bad-config',
    `trust.lotlCertificatesFolder: ${config.lotlCertificatesFolder} holds no certificate; put those from the Official Journal there`,
  )
}

const foldersOf = ({ lotlCertificatesFolder, anchorsFolder }: TrustConfig): string[] => [
  lotlCertificatesFolder,
  anchorsFolder,
  ...['signing', 'timestamping', 'revocation'].map((purpose) => path.join(anchorsFolder, purpose)),
]

/** Changes when one of the files or folders does. */
async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = paths.map(async (one) => {
    try {
      const { mtimeMs, size, ino } = await stat(one)
      return `${mtimeMs} ${size} ${ino}`
    } catch {
      return 'absent' // reading it tells what is wrong
    }
  })
  return (await Promise.all(stamps)).join()
}
