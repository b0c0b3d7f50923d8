/** How the installation is reached: from the outside, and on its own machine. The port is known only once it listens. */
import { hostOf, portOf, type Config } from './config.ts'

export interface Outside {
  /** address under which people reach the server */
  publicUrl: () => string
  /** where this process is reached on its own machine */
  ownOrigin: () => string
  /** tells the port when the configuration left it open */
  listensOn: (port: number) => void
}

export function createOutside(config: Config): Outside {
  let port = portOf(config.listen)
  const ownOrigin = (): string => localOrigin(config, port)
  return {
    ownOrigin,
    publicUrl: () => config.publicUrl ?? ownOrigin(),
    listensOn: (taken) => {
      port = taken
    },
  }
}

function localOrigin(config: Config, port: number): string {
  const host = hostOf(config.listen)
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${config.tls ? 'https' : 'http'}://${near.includes(':') ? `[${near}]` : near}:${port}`
}
