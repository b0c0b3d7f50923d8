/** The temporary instance that the story is played on, and how steps are told. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Output } from '../output.ts'
import { parseConfig } from '../config.ts'
import { startServing, type Serving } from '../serving.ts'
import type { House } from '../compose.ts'
import type { World } from '../../storage/index.ts'

export interface Stage {
  serving: Serving
  house: House
  /** temporary folder; everything in it is removed at the end */
  folder: string
  origin: string
  /** Runs a step and says what it proved; a step that throws ends the story. */
  step: <T>(title: string, work: () => Promise<Proven<T>>) => Promise<T>
}

/** What a step found out: for the next step, and in words. */
export interface Proven<T> {
  value: T
  /** sizes, hashes, levels, receipts */
  facts: Record<string, string | number>
}

export interface StageOptions {
  output: Output
  world: World
  /** keep the folder, e.g. to look at it */
  keep: boolean
}

/** Sets the stage, lets `play` act on it, and clears up whatever happens. */
export async function onStage(options: StageOptions, play: (stage: Stage) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'amtsbote-demo-'))
  try {
    const text = ['dataFolder: data', 'listen: 127.0.0.1:0', 'court: { pollSeconds: 1 }', 'logLevel: error'].join('\n')
    const serving = await startServing(parseConfig(text, path.join(folder, 'amtsbote.yaml'), null), options.world)
    try {
      await serving.ready
      const origin = `http://127.0.0.1:${serving.port}`
      await play({ serving, house: serving.house, folder, origin, step: teller(options) })
    } finally {
      await serving.stop()
    }
  } finally {
    if (!options.keep) await rm(folder, { recursive: true, force: true })
  }
}

function teller({ output, world }: StageOptions): Stage['step'] {
  let number = 0
  return async (title, work) => {
    number += 1
    const began = world.clock().getTime()
    try {
      const { value, facts } = await work()
      const seconds = ((world.clock().getTime() - began) / 1000).toFixed(1)
      const words = Object.entries(facts).map(([key, fact]) => `${key} ${fact}`)
      output.say(`${String(number).padStart(2)}. ok  ${title}: ${words.join(', ')} (${seconds} s)`, {
        step: number,
        ok: true,
        title,
        ...facts,
      })
      return value
    } catch (error) {
      output.say(`${String(number).padStart(2)}. FAILED  ${title}`, { step: number, ok: false, title })
      throw error
    }
  }
}
