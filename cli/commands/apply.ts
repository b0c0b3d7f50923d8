/** `amtsbote apply city.yaml [--dry-run]`: provisioning from a file; see apply/. */
import { readFile } from 'node:fs/promises'
import { X509Certificate } from 'node:crypto'
import path from 'node:path'
import { Command } from 'commander'
import { provisioningSchema, repeated, type MailboxEntry, type Provisioning } from '../apply/document.ts'
import { provision, type Change, type ProvisionDeps } from '../apply/provision.ts'
import type { House } from '../compose.ts'
import type { Context } from '../context.ts'
import { checkDocument } from '../documents.ts'
import { CliError } from '../errors.ts'
import { ensureIdentity, openIdentity } from '../identities.ts'

export function applyCommand(context: () => Context): Command {
  return new Command('apply')
    .description('create and change units, users, rooms, members and mailboxes as a YAML file says')
    .argument('<file>', 'the file, e.g. city.yaml')
    .option('--dry-run', 'only say what would be done')
    .action((file: string, options: { dryRun?: boolean }) =>
      apply(context(), file, options.dryRun === true ? 'dry-run' : 'apply'),
    )
}

type Mode = 'apply' | 'dry-run'

async function apply(context: Context, file: string, mode: Mode): Promise<void> {
  const name = path.basename(file)
  const text = await readDocument(file)
  const { value, lineOf } = checkDocument<Provisioning>({ text, name, code: 'cli/bad-document' }, provisioningSchema)
  const refuse: ProvisionDeps['refuse'] = (at, what) =>
    new CliError('cli/bad-document', `${name}:${lineOf(at)}: ${what}; nothing was changed`)
  const double = repeated(value)[0]
  if (double) throw refuse(double, 'this stands in the file twice')
  await context.withHouse(async (house) => {
    const { storage, levels, operator } = house
    const run = async (as: Mode): Promise<Change[]> => {
      const certificates = await certificatesOf(value.mailboxes, {
        house,
        mode: as,
        refuse,
        folder: path.dirname(file),
      })
      const transact: ProvisionDeps['transact'] = (work) => storage.transact(work)
      return provision(value, as, { transact, levels, operator, refuse, certificates })
    }
    // A wrong document is found before keys are made: these do not go away with the transaction.
    const would = await run('dry-run')
    const changes = mode === 'dry-run' ? would : await run('apply')
    context.output.table(changes, [
      { title: mode === 'dry-run' ? 'WOULD' : 'DID', value: (change) => change.verb },
      { title: 'WHAT', value: (change) => change.what },
      { title: 'NAME', value: (change) => change.name },
      { title: 'FIELDS', value: (change) => change.fields.join(', ') },
    ])
    if (changes.length === 0) context.output.remark('Everything is as the file says.')
  })
}

async function readDocument(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new CliError('cli/bad-document', `${file} cannot be read; check the path`, { cause: error })
  }
}

interface CertificateDeps {
  house: House
  mode: Mode
  refuse: ProvisionDeps['refuse']
  folder: string
}

/** Own mailboxes get trial keys where there are none; key files are made before any row names them. */
async function certificatesOf(
  entries: readonly MailboxEntry[],
  deps: CertificateDeps,
): Promise<Map<string, Certificates>> {
  const found = new Map<string, Certificates>()
  for (const [index, entry] of entries.entries()) {
    found.set(
      entry.name,
      entry.kind === 'own' ? await ownCertificates(entry.keys, deps) : await partnerCertificates(entry, index, deps),
    )
  }
  return found
}

interface Certificates {
  cipherCertificate: Buffer
  signatureCertificate: Buffer
}

/** A dry run makes no keys; this stands in a row that is rolled back. */
const NOT_MADE_YET: Certificates = { cipherCertificate: Buffer.from('-'), signatureCertificate: Buffer.from('-') }

async function ownCertificates(keys: string, { house, mode }: CertificateDeps): Promise<Certificates> {
  const folder = house.config.keysFolder
  if (mode === 'apply') await ensureIdentity(folder, { name: keys, commonName: keys }, house.world)
  const identity = await openIdentity(folder, keys)
  return identity?.certificates ?? NOT_MADE_YET
}

async function partnerCertificates(
  entry: Extract<MailboxEntry, { kind: 'partner' }>,
  index: number,
  deps: CertificateDeps,
): Promise<Certificates> {
  const read = async (key: 'cipherCertificateFile' | 'signatureCertificateFile'): Promise<Buffer> => {
    try {
      return new X509Certificate(await readFile(path.resolve(deps.folder, entry[key]))).raw
    } catch {
      throw deps.refuse(['mailboxes', index, key], 'this is not a file with a certificate (PEM or DER)')
    }
  }
  return {
    cipherCertificate: await read('cipherCertificateFile'),
    signatureCertificate: await read('signatureCertificateFile'),
  }
}
