/**
 * @tus/server, asked about requests and never about their bytes.
 *
 * Its handlers pipe a web stream through three others into the store, on the thread that serves everybody. Ours get a
 * request without a body, and where a body would be written they call the store, which reads the Node request itself.
 */
import { Readable } from 'node:stream'
import { Server } from '@tus/server'
import type { DataStore, ServerOptions, Upload } from '@tus/server'

export class BodilessServer extends Server {
  constructor(options: ServerOptions & { datastore: DataStore }) {
    super(options)
    const writeToStore = (_body: null, upload: Upload): Promise<number> =>
      options.datastore.write(Readable.from([]), upload.id, upload.offset)
    // A protected method of theirs: the tests of gateway/test/uploads-protocol.test.ts notice when it changes.
    Object.assign(this.handlers.POST, { writeToStore })
    Object.assign(this.handlers.PATCH, { writeToStore })
  }

  /** Without a body there is nothing to give up: a lost lock or client ends the reading itself (store.ts). */
  protected override createContext(): ReturnType<Server['createContext']> {
    return { signal: NEVER, abort: nothing, cancel: nothing }
  }
}

const NEVER = new AbortController().signal
const nothing = (): void => undefined
