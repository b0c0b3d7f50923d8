/** A suite over one bucket and one PostgreSQL database, as several servers of a site share them. */
import { s3Bucket } from '../../../storage/test/support/s3-server.ts'
import { withS3 } from '../../../storage/test/support/with-s3.ts'
import { freshPostgresql } from '../../../storage/test/support/databases.ts'
import { describeWithPostgresql, sharedPostgresql } from '../../../storage/test/support/postgresql-server.ts'
import { temporaryFolder } from '../../../storage/test/support/temporary-folder.ts'
import type { StoresOrder } from './upload-stores.ts'

/** @param suite is given what makes fresh stores: an empty bucket, an empty database, a folder for keys */
export function bucketWorld(title: string, suite: (stores: () => Promise<StoresOrder>) => void): void {
  withS3(title, () => {
    describeWithPostgresql('with PostgreSQL', () => {
      before(async function () {
        this.timeout(60_000)
        await sharedPostgresql()
      })
      suite(async () => ({ folder: temporaryFolder(), database: await freshPostgresql(), s3: await s3Bucket() }))
    })
  })
}
