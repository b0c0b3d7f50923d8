/** A suite that needs an S3 server: says so in one line where there is none, or fails when servers are required. */
import { s3Absent, s3Bucket } from './s3-server.ts'

const START_MS = 60_000

export function withS3(title: string, suite: () => void): void {
  const absent = s3Absent()
  if (absent === null) {
    describe(title, () => {
      before(async function () {
        this.timeout(START_MS)
        await s3Bucket()
      })
      suite()
    })
  } else if (process.env['AMTSBOTE_REQUIRE_SERVICES'] === '1') {
    describe(title, () => {
      it('needs an S3 server', () => {
        throw new Error(absent)
      })
    })
  } else {
    console.log(`left out: ${title}: ${absent}`)
  }
}
