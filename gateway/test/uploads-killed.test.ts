import { KILLS, killing } from './support/killing.ts'
import { ServerProcesses } from './support/server-process.ts'
import { openUploadHouse } from './support/upload-house.ts'

describe('a server that is killed at any moment (kill -9)', () => {
  const processes = new ServerProcesses()
  after(() => processes.close())

  it(`loses nothing that it acknowledged: ${KILLS} kills over files and SQLite`, async () => {
    const house = await openUploadHouse()
    try {
      await killing(house, processes, KILLS)
    } finally {
      await house.close()
    }
  }).timeout(KILLS * 5_000)
})
