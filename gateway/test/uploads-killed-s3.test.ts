import { bucketWorld } from './support/bucket-world.ts'
import { KILLS, killing } from './support/killing.ts'
import { ServerProcesses } from './support/server-process.ts'
import { openUploadHouse } from './support/upload-house.ts'

bucketWorld('a server over S3 that is killed at any moment (kill -9)', (stores) => {
  const processes = new ServerProcesses()
  after(() => processes.close())

  it(`loses nothing that it acknowledged: ${KILLS} kills`, async () => {
    const house = await openUploadHouse({ stores: await stores() })
    try {
      await killing(house, processes, KILLS)
    } finally {
      await house.close()
    }
  }).timeout(KILLS * 10_000)
})
