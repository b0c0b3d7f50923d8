/** XML signatures of others: what holds, what does not and why, before anybody is trusted. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { bufferAccess } from '../random-access.ts'
import type { DocumentFacts } from '../validation/facts.ts'
import { readXadesFacts } from '../xades/document.ts'
import { sharedData } from './shared-data.ts'

function facts(name: string, ...detached: string[]): Promise<DocumentFacts> {
  return readXadesFacts(readFileSync(join(sharedData, 'files', name)), (uri) => {
    const found = detached.find((path) => basename(path) === decodeURIComponent(uri))
    return found === undefined ? null : bufferAccess(readFileSync(join(sharedData, found)))
  })
}

const codes = ({ signatures }: DocumentFacts): string[] =>
  signatures.map(({ faults }) => faults.map(({ code }) => code).join(' '))

describe('XML signatures of others', () => {
  if (!existsSync(sharedData)) {
    console.log('  XML signatures of others: not run, the common test documents are not here')
    return
  }

  const cases: [string, string[]][] = [
    ['xades-enveloped-LTA-A.xml', ['']],
    ['xades-enveloped-tampered-A.xml', ['digest']],
    ['xades-xsw-enveloped-A.xml', ['digest']],
    ['dss-Signature-X-HU_POL-3.xml', ['']],
    ['dss-xades-with-multiple-archivetimestamps.xml', ['']],
    ['dss-xades-lta-corrupted-cert.xml', ['']],
    ['dss-dss-signed-altered-signedPropsRemoved.xml', ['value constraints']],
    ['dss-XSW-enveloped-fake-content.xml', ['']],
    ['dss-XSW-enveloped-fake-content-two-same-id.xml', ['format']],
    ['dss-XSW-enveloping-fake-manifest.xml', ['data-missing']],
    ['dss-xades-wrong-sign-cert-digest.xml', ['certificate-reference']],
    ['dss-xades-sign-cert-v2-wrong-issuer-serial.xml', ['']],
    ['dss-xades-fake-counter-signature.xml', ['', 'digest']],
    ['dss-xades-with-dtd-injection.xml', ['format']],
    ['dss-malformed-xades.xml', ['format']],
    ['dss-Signature-X-CY-1.xml', ['']],
    ['dss-qes-xades111-filter2.xml', ['constraints constraints']],
  ]
  for (const [name, expected] of cases) {
    it(`${name}: ${expected.map((code) => code || 'holds').join(', ')}`, async () => {
      assert.deepEqual(codes(await facts(name)), expected)
    })
  }

  it('finds data beside the document, and says when they are not there', async () => {
    assert.deepEqual(codes(await facts('xades-detached-LT-A.xml', 'detached/anlage_A.txt')), [''])
    assert.deepEqual(codes(await facts('xades-detached-LT-A.xml')), ['data-missing'])
  })

  it('names the signature policy that it cannot follow', async () => {
    const { signatures } = await facts('dss-xades-tampered-reference.xml')
    assert.equal(signatures[0]?.claimed.policy, '1.3.6.1.4.1.10015.1000.3.2.1')
    assert.ok(signatures[0].faults.some(({ code }) => code === 'policy-missing'))
  })

  it('names what an archive time-stamp covers, and nothing when it is over something else', async () => {
    const { timestamps, signatures, evidence } = await facts('xades-enveloped-LTA-A.xml')
    const [signature, archive] = timestamps
    const value = signatures[0]?.valueId ?? ''
    assert.ok(signature && archive)
    assert.deepEqual([signature.kind, archive.kind], ['signature', 'archive'])
    assert.deepEqual([...signature.covers], [value])
    assert.ok(archive.covers.has(value) && archive.covers.has(signature.tokenId))
    assert.deepEqual([evidence.crls.length, evidence.ocsps.length], [1, 1])
    const broken = (await facts('dss-xades-lta-corrupted-cert.xml')).timestamps[1]
    assert.deepEqual(
      broken?.faults.map(({ code }) => code),
      ['imprint'],
    )
    assert.equal(broken.covers.size, 0)
  })

  it('reads several tokens of one archive time-stamp', async () => {
    const { timestamps } = await facts('dss-xades-with-multiple-archivetimestamps.xml')
    assert.deepEqual(
      timestamps.map(({ kind, faults }) => [kind, faults.length]),
      [
        ['signature', 0],
        ['archive', 0],
        ['archive', 0],
      ],
    )
  })

  it('says when what everybody sees is not what was signed', async () => {
    const { signatures } = await facts('dss-XSW-enveloped-fake-content.xml')
    assert.equal(signatures[0]?.scope.kind, 'part')
    assert.ok(signatures[0].findings.some(({ code, severity }) => code === 'element-only' && severity === 'unclean'))
  })

  it('judges the entries of a manifest one by one', async () => {
    const { signatures } = await facts('dss-Signature-X-CY-1.xml')
    assert.equal(signatures[0]?.findings.filter(({ code }) => code === 'manifest-reference').length, 9)
  })
})
