/** Opens the object store that the configuration names. */
import { filesystemObjects } from './filesystem.ts'
import type { ObjectStore } from './object-store.ts'
import type { S3Options } from './s3.ts'

export type ObjectsConfig = { kind: 'filesystem'; root: string } | ({ kind: 's3' } & S3Options)

/**
 * @throws StorageError `storage/objects-unavailable` the folder cannot be written, or the bucket cannot be reached
 */
export async function openObjects(config: ObjectsConfig): Promise<ObjectStore> {
  if (config.kind === 'filesystem') return filesystemObjects(config)
  // The S3 client is large: loaded only where it is used, so that everything else starts fast.
  const { s3Objects } = await import('./s3.ts')
  return s3Objects(config)
}
