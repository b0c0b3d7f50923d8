/**
 * Do the files of a container fit a manifest that names them?
 */
import type { AlgorithmInUse, SignatureFault } from '../validation/facts.ts'
import type { Container, ContainerFile } from './container.ts'
import type { AsicManifest } from './manifest.ts'

export interface ManifestOutcome {
  /** files that are there and have the digest that the manifest names */
  fitting: readonly ContainerFile[]
  faults: readonly SignatureFault[]
  algorithms: readonly AlgorithmInUse[]
}

export async function followManifest(manifest: AsicManifest, { byName }: Container): Promise<ManifestOutcome> {
  const fitting: ContainerFile[] = []
  const faults: SignatureFault[] = []
  for (const { name, digest, value } of manifest.references) {
    const file = byName.get(name)
    if (file === undefined) faults.push({ code: 'data-missing', detail: `${name} is not there` })
    else if (digest === null) faults.push({ code: 'algorithm', detail: `the digest of ${name} is not known` })
    else if (!value.equals(await file.digest(digest))) faults.push({ code: 'digest', detail: `${name} is another` })
    else fitting.push(file)
  }
  const algorithms = manifest.references.map(({ digest }, index) => ({
    place: `reference ${index + 1}`,
    use: { digest },
  }))
  return { fitting, faults, algorithms }
}
