/**
 * Who holds a lease, as text in the row: host | boot | pid | start of the process | random.
 *
 * With it a process that died on this very machine is known to be dead at once; about others only their lease tells.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { pid } from 'node:process'

import type { Random } from '../world.ts'

/** A new holder's name; different at every call. */
export function newHolder(random: Random): string {
  return [host(), bootId(), String(pid), startOf(pid) ?? '0', random(8).toString('hex')].join('|')
}

/** Whether the holder is certainly dead: a process of this machine that does not run any more. */
export function isDead(holder: string): boolean {
  const [itsHost, itsBoot, itsPid, itsStart] = holder.split('|')
  if (itsHost !== host() || itsPid === undefined) return false
  // The machine was started anew since then.
  if (itsBoot !== bootId()) return true
  if (startOf(Number(itsPid)) === itsStart) return false
  return !(itsStart === '0' && isRunning(Number(itsPid)))
}

/** Process ids mean the same only within one PID namespace, so that is part of the host's name. */
function host(): string {
  return `${hostname()}/${namespace()}`
}

function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return '-'
  }
}

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id') ?? '-'
}

/** Start time in clock ticks since boot, field 22 of proc(5) stat; null = no such process, or no /proc. */
function startOf(process: number): string | null {
  const stat = read(`/proc/${process}/stat`)
  if (stat === null) return null
  // The second field is a name in brackets that may hold spaces and brackets.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
}

function isRunning(process: number): boolean {
  try {
    return globalThis.process.kill(process, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return null
  }
}
