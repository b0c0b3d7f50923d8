/** Containers that were made to fill the memory or the time of whoever reads them. */
import { randomBytes } from 'node:crypto'
import type { HostileCase } from './hostile.worker.ts'
import { largeCertificates, withCertificates } from './hostile-cms.ts'
import { signedXml } from './hostile-xml.ts'
import { rawZip } from './raw-zip.ts'
import type { RawEntry } from './raw-zip.ts'

const MIB = 1024 * 1024
const NOTHING = Buffer.alloc(0)

/** An ASiC-E with so many entries more. */
function container(count: number, entry: (index: number) => RawEntry): HostileCase {
  return {
    build: () =>
      rawZip({
        entries: [
          { name: 'mimetype', content: 'application/vnd.etsi.asic-e+zip' },
          { name: 'META-INF/manifest.xml', content: '<m/>' },
          ...Array.from({ length: count }, (_, index) => entry(index)),
        ],
      }),
  }
}

/** What packs a hundred to one, and no more: that is the limit. */
const bomb = (megabytes: number, start: Buffer = NOTHING): Buffer =>
  Buffer.concat([start, randomBytes(megabytes * 10_700), Buffer.alloc(megabytes * MIB)])

/** One entry that claims to be many: all lie at the same place. */
const overlapping = container(9_000, (index) => ({
  name: `f${index}`,
  content: index === 0 ? 'x' : '',
  central: { offset: 0 },
}))

export const ZIP_CASES: Record<string, HostileCase> = {
  '9,900 files': container(9_900, (n) => ({ name: `f${n}`, content: 'x' })),
  '65,000 files': container(65_000, (n) => ({ name: `f${n}` })),
  '9,900 long names': container(9_900, (n) => ({ name: `${'ä'.repeat(700)}${n}` })),
  '9,000 files at one place': overlapping,
  '10 files of 95 MiB': container(10, (n) => ({ name: `f${n}`, content: bomb(95), deflate: true })),
  '5 signatures of 61 MiB': {
    ...container(5, (n) => ({
      name: `META-INF/signature${n}.p7s`,
      content: bomb(61, withCertificates([])),
      deflate: true,
    })),
    always: true,
  },
  '35 signatures with 25 MiB of certificates each': container(35, (n) => ({
    name: `META-INF/signature${n}.p7s`,
    content: Buffer.concat([withCertificates(largeCertificates(100, 250_000)), randomBytes(300_000)]),
    deflate: true,
  })),
  '9 signatures in XML of 20 MiB': container(9, (n) => ({
    name: `META-INF/signatures${n}.xml`,
    content: signedXml('x'.repeat(20 * MIB) + randomBytes(110_000).toString('hex')),
    deflate: true,
  })),
  '9 signatures in XML of 190,000 elements': container(9, (n) => ({
    name: `META-INF/signatures${n}.xml`,
    content: signedXml('<a/>'.repeat(190_000)),
    deflate: true,
  })),
  '40 manifests of 99,000 elements': container(40, (n) => ({
    name: `META-INF/ASiCManifest${n}.xml`,
    content: `<a>${'<b/>'.repeat(99_000)}</a>`,
    deflate: true,
  })),
  '60 time-stamps of 15 MiB': container(60, (n) => ({
    name: `META-INF/timestamp${n}.tst`,
    content: bomb(15, withCertificates([])),
    deflate: true,
  })),
}
