/** What every command starts from: the configuration, the output, and the stores when it asks for them. */
import { compose, systemWorld, type House } from './compose.ts'
import { isInteractive, loadConfig, type Config } from './config.ts'
import { createOutput, type Output, type Streams } from './output.ts'
import type { World } from '../storage/index.ts'

export interface Context {
  output: Output
  json: boolean
  clock: () => Date
  world: World
  config: () => Config
  /** opens the stores, runs `work`, closes them whatever happens */
  withHouse: <T>(work: (house: House) => Promise<T>) => Promise<T>
}

export interface GlobalOptions {
  config?: string
  json?: boolean
}

export function createContext(options: GlobalOptions, streams: Streams): Context {
  const json = options.json === true
  const world = systemWorld('warn')
  const config = (): Config => loadConfig(options.config)
  return {
    json,
    clock: world.clock,
    world,
    config,
    output: createOutput({ json, interactive: isInteractive(), clock: world.clock, ...streams }),
    withHouse: async (work) => {
      const house = await compose(config(), world)
      try {
        return await work(house)
      } finally {
        await house.close()
      }
    },
  }
}
