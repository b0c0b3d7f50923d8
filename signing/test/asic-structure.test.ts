/** Containers that break a rule of their kind, and names and places as other programs write them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readAsicFacts } from '../asic/facts.ts'
import { ASIC_E, ASIC_S } from '../asic/parts.ts'
import { bufferAccess } from '../index.ts'
import type { DocumentFacts } from '../validation/facts.ts'
import { signXadesDetached } from '../xades/sign.ts'
import { rawZip } from './support/raw-zip.ts'
import type { RawEntry } from './support/raw-zip.ts'
import { NOW, ecSigningKey } from './trial-key.ts'

const key = ecSigningKey('P-256')
const FILE = Buffer.from('Anlage')
const LIST: RawEntry = { name: 'META-INF/manifest.xml', content: '<manifest/>' }

async function signatureOver(uri: string): Promise<Buffer> {
  const digestOf = (digest: string) => Promise.resolve(createHash(digest).update(FILE).digest())
  return signXadesDetached([{ uri, digestOf, mimeType: 'text/plain' }], key, { signedAt: NOW })
}

async function factsOf(mimetype: string, ...entries: RawEntry[]): Promise<DocumentFacts> {
  const bytes = rawZip({ entries: [{ name: 'mimetype', content: mimetype }, ...entries] })
  return readAsicFacts(bufferAccess(bytes))
}

const faultsOf = ({ signatures }: DocumentFacts): string[][] =>
  signatures.map(({ faults }) => faults.map(({ code }) => code))
const uncleanOf = ({ findings }: DocumentFacts): string[] =>
  findings.filter(({ severity }) => severity === 'unclean').map(({ code }) => code)

describe('the structure of containers', () => {
  const signed = async (uri: string, name = 'META-INF/signatures.xml'): Promise<RawEntry> => ({
    name,
    content: await signatureOver(uri),
  })

  it('an ASiC-S has its file at the root', async () => {
    const facts = await factsOf(ASIC_S, { name: 'a.txt', content: FILE }, await signed('a.txt'))
    assert.deepEqual(faultsOf(facts), [[]])
    const nested = await factsOf(ASIC_S, { name: 'b/a.txt', content: FILE }, await signed('b/a.txt'))
    assert.deepEqual(faultsOf(nested), [['format']])
  })

  it('a container without data is none', async () => {
    const facts = await factsOf(ASIC_E, LIST, { name: 'META-INF/x', content: FILE }, await signed('META-INF/x'))
    assert.deepEqual(faultsOf(facts), [['format']])
  })

  it('a manifest that cannot be read may have named anything', async () => {
    const data = { name: 'a.txt', content: FILE }
    const manifest = { name: 'META-INF/ASiCManifest.xml', content: '<asic:ASiCManifest>' }
    const facts = await factsOf(ASIC_E, LIST, data, manifest, await signed('a.txt'))
    assert.deepEqual(faultsOf(facts), [['format']])
  })

  it('a line end behind the media type is not another type', async () => {
    const facts = await factsOf(`${ASIC_E}\n`, LIST, { name: 'a.txt', content: FILE }, await signed('a.txt'))
    assert.equal(facts.format, 'asic-e')
    assert.deepEqual([faultsOf(facts), uncleanOf(facts)], [[[]], []])
  })

  it('signatures in a folder of their own are found', async () => {
    const name = 'META-INF/signatures/signatures0.xml'
    const facts = await factsOf(ASIC_E, LIST, { name: 'a.txt', content: FILE }, await signed('a.txt', name))
    assert.deepEqual(
      facts.signatures.map((signature) => `${signature.name} ${signature.faults.length} ${signature.scope.kind}`),
      [`${name} 0 whole`],
    )
  })

  it('names without UTF-8 are in code page 437, with the same name in UTF-8 beside it or not', async () => {
    const old = Buffer.from('Stra\xe1e.txt', 'latin1')
    const also = Buffer.from('Straße.txt')
    const extra = Buffer.concat([Buffer.of(0x75, 0x70, also.length + 5, 0, 1, 0, 0, 0, 0), also])
    for (const central of [{}, { extra }]) {
      const data = { name: old, content: FILE, central }
      const facts = await factsOf(ASIC_E, LIST, data, await signed('Stra%C3%9Fe.txt'))
      assert.deepEqual([faultsOf(facts), uncleanOf(facts)], [[[]], []])
    }
    const other = Buffer.concat([extra.subarray(0, 9), Buffer.from('Straxxe.txt')])
    const twoNames = await factsOf(
      ASIC_E,
      LIST,
      { name: old, content: FILE, central: { extra: other } },
      await signed('a'),
    )
    assert.deepEqual(faultsOf(twoNames), [['format', 'data-missing']])
  })
})
