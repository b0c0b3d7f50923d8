/**
 * A Ceph RADOS Gateway for tests: one monitor, one object daemon in memory, one gateway, on free loopback ports in a
 * temporary folder. Started at the first call, shared by the whole process, ended with it.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'

import type { S3Options } from '../../objects/s3.ts'
import { temporaryFolder } from './temporary-folder.ts'

const PROGRAMS = ['ceph', 'ceph-authtool', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin']
const KEYS = { accessKeyId: 'testkey', secretAccessKey: 'testsecret' }

/** Why there is no S3 server on this machine; null = there is one. */
export function s3Absent(): string | null {
  const missing = PROGRAMS.filter(
    (program) => !['/usr/bin', '/usr/local/bin', '/bin'].some((at) => existsSync(join(at, program))),
  )
  return missing.length === 0 ? null : `programs of Ceph are missing: ${missing.join(', ')}`
}

let started: Promise<number> | null = null
let buckets = 0

/** Options for a bucket of its own on the shared server. */
export async function s3Bucket(): Promise<S3Options> {
  started ??= startServer()
  const endpoint = `http://127.0.0.1:${await started}`
  const bucket = `test-${process.pid}-${++buckets}`
  const client = new S3Client({
    ...{ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: KEYS },
    ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
  })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  return { endpoint, region: 'us-east-1', bucket, prefix: 'amtsbote/', ...KEYS }
}

async function startServer(): Promise<number> {
  const folder = temporaryFolder()
  for (const name of ['run', 'log', 'mon.a', 'osd.0']) await mkdir(join(folder, name))
  const [gateway, monitor, second] = [await freePort(), await freePort(), await freePort()]
  const [cluster, disk] = [randomUUID(), randomUUID()]
  const conf = join(folder, 'ceph.conf')
  const addresses = `[v2:127.0.0.1:${monitor}/0,v1:127.0.0.1:${second}/0]`
  await writeFile(conf, configuration({ folder, cluster, addresses, gateway }))
  const env = { ...process.env, CEPH_CONF: conf }
  const run = (program: string, ...args: string[]): void => {
    const { status, stderr } = spawnSync(program, args, { env, encoding: 'utf8' })
    if (status !== 0) throw new Error(`${program} failed: ${stderr}`)
  }
  const keep = (program: string, ...args: string[]): void => {
    const child = spawn(program, ['--conf', conf, ...args, '-f'], { env, stdio: 'ignore' })
    endWithProcess(child)
  }
  const keyring = join(folder, 'keyring')
  const all = ['--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *', '--cap', 'mgr', 'allow *']
  run('ceph-authtool', '--create-keyring', keyring, '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *')
  run('ceph-authtool', keyring, '--gen-key', '-n', 'client.admin', ...all)
  run('monmaptool', '--create', '--fsid', cluster, '--addv', 'a', addresses, join(folder, 'monmap'))
  run('ceph-mon', '--conf', conf, '-i', 'a', '--mkfs', '--monmap', join(folder, 'monmap'), '--keyring', keyring)
  keep('ceph-mon', '-i', 'a')
  run('ceph', '--conf', conf, 'osd', 'new', disk)
  run('ceph-osd', '--conf', conf, '-i', '0', '--mkfs', '--osd-uuid', disk)
  keep('ceph-osd', '-i', '0')
  await until(() =>
    spawnSync('ceph', ['--conf', conf, 'osd', 'stat'], { env, encoding: 'utf8' }).stdout.includes('1 up'),
  )
  keep('radosgw', '-n', 'client.admin')
  const user = [
    'user',
    'create',
    '--uid=test',
    '--display-name=test',
    '--access-key=testkey',
    '--secret-key=testsecret',
  ]
  run('radosgw-admin', '--conf', conf, ...user)
  await until(async () => (await fetch(`http://127.0.0.1:${gateway}/`).catch(() => null)) !== null)
  return gateway
}

function configuration(at: { folder: string; cluster: string; addresses: string; gateway: number }): string {
  const { folder } = at
  return `[global]
fsid = ${at.cluster}
mon_initial_members = a
mon_host = ${at.addresses}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_data_avail_warn = 1
mon_data_avail_crit = 1
mon_osd_full_ratio = 0.97
run_dir = ${folder}/run
admin_socket = ${folder}/run/$name.asok
pid_file = ${folder}/run/$name.pid
log_file = ${folder}/log/$name.log
log_to_stderr = false
mon_data = ${folder}/mon.$id
osd_data = ${folder}/osd.$id
keyring = ${folder}/keyring
crash_dir = ${folder}
osd_objectstore = memstore
memstore_device_bytes = 8589934592
osd_op_num_shards = 2
ms_bind_ipv6 = false
ms_mon_client_mode = crc
ms_mon_service_mode = crc
ms_mon_cluster_mode = crc
osd_class_update_on_start = true
rgw_frontends = beast endpoint=127.0.0.1:${at.gateway}
rgw_crypt_require_ssl = false
rgw_dns_name = localhost
rgw_cache_enabled = true
rgw_gc_obj_min_wait = 1
rgw_gc_processor_period = 2
rgw_gc_processor_max_time = 60
rgw_enable_usage_log = false
rgw_enable_ops_log = false
rgw_thread_pool_size = 64
`
}

function endWithProcess(child: ChildProcess): void {
  child.unref()
  process.once('exit', () => {
    child.kill('SIGKILL')
  })
}

async function until(claim: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await claim()) return
    await pause(200)
  }
  throw new Error('the S3 server did not start')
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        resolve(typeof address === 'object' && address ? address.port : 0)
      })
    })
  })
}
