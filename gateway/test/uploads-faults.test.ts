import assert from 'node:assert/strict'
import { faultyObjects } from '../../storage/test/support/faulty-objects.ts'
import type { FaultPlan } from '../../storage/test/support/faulty-objects.ts'
import type { TusCaller } from './support/tus.ts'
import { OCTETS, randomBytes, sha256, tusCaller } from './support/tus.ts'
import type { UploadHouse } from './support/upload-house.ts'
import { openUploadHouse } from './support/upload-house.ts'

describe('an upload while its store fails', function () {
  this.timeout(20_000)
  let house: UploadHouse
  let tus: TusCaller
  let plan: FaultPlan
  before(async () => {
    house = await openUploadHouse({
      wrap: (store) => {
        const faulty = faultyObjects(store)
        plan = faulty.plan
        return faulty.objects
      },
    })
    tus = tusCaller(
      () => house.port,
      () => house.standing(),
    )
  })
  after(() => house.close())
  const fail = (code: FaultPlan['code']): void => {
    Object.assign(plan, { failAt: 1, when: 'before', code, stays: true })
  }
  const mend = (): void => {
    Object.assign(plan, { failAt: 0, stays: false })
  }

  for (const [code, status] of [
    ['storage/disk-full', 507],
    ['storage/objects-unavailable', 503],
  ] as const) {
    it(`is told ${status} (${code}), keeps what was acknowledged, and goes on when it is over`, async () => {
      const bytes = randomBytes(3_000_000)
      const address = await tus.create(bytes.length)
      assert.equal((await tus.patch(address, 0, bytes.subarray(0, 1_500_000))).status, 204)
      fail(code)
      const refused = await tus.patch(address, 1_500_000, bytes.subarray(1_500_000))
      mend()
      assert.equal(refused.status, status)
      assert.match(refused.body, new RegExp(code))
      assert.equal((await tus.head(address)).headers['upload-offset'], '1500000')
      assert.equal((await tus.patch(address, 1_500_000, bytes.subarray(1_500_000))).status, 204)
      assert.equal(sha256(await house.read()), sha256(bytes))
    })

    it(`leaves nothing of a POST with a body that met ${code}`, async () => {
      for (const size of [1000, 3_000_000]) {
        const [uploads, files] = [await house.countUploads(), await house.countFiles()]
        fail(code)
        const headers = { 'Upload-Length': String(size), 'Content-Type': OCTETS }
        const refused = await tus.post(headers, randomBytes(size))
        mend()
        assert.equal(refused.status, status)
        assert.deepEqual([await house.countUploads(), await house.countFiles()], [uploads, files])
      }
    })
  }
})
